"""What the prompt answers to a line: a query, a number, `n`, or a command that begins with a colon."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable
from typing import Any, get_args

from newsindex.display import (
    Screen,
    counted,
    differs,
    one_line,
    print_article,
    print_diagnostics,
    print_explanation,
    print_facets,
    print_hits,
    print_plan,
    print_stats,
    print_total,
)
from newsindex.errors import NewsIndexError, QueryError
from newsindex.index import NewsIndex, Sort
from newsindex.results import Hit
from newsindex.where import parse_where, split_conditions

__all__ = ["COMMANDS", "SORTS", "Prompt"]

SORTS: tuple[Sort, ...] = get_args(Sort)
COMMANDS = {
    ":help": "this list",
    ":facets FIELD": "how many of the articles found have each value, as :facets source",
    ":sort ORDER": "relevance, newest or oldest",
    ":where FIELD=VALUE": "only articles with this value (or FROM..TO); several may stand on the line; none clears",
    ":limit NUMBER": "hits on a page",
    ":explain": "what the query was taken for, and how it is carried out",
    ":explain NUMBER": "why this hit has its score",
    ":stats": "what the archive holds",
    ":quit": "leave; so does Ctrl-D",
}
_MOST_HITS = 1000
_MOST_VALUES = 20


class Prompt:
    """The state between two lines: the query, its hits so far, and the settings."""

    def __init__(self, index: NewsIndex, screen: Screen, prompt_width: int | None = None) -> None:
        """Begin with no query. `prompt_width` is the columns before the typed line, None when it is not on screen."""
        self.index = index
        self.screen = screen
        self.prompt_width = prompt_width
        self.query: str | None = None
        self.hits: list[Hit] = []
        self.cursor: str | None = None
        self.sort: Sort = "relevance"
        self.where: dict[str, Any] = {}
        self.limit = 10

    def answer(self, line: str) -> bool:
        """Answer one line; return False when the prompt is to be left. Errors of newsindex are printed as one line."""
        text = line.strip()
        try:
            if text.startswith(":"):
                return self._command(text)
            if text == "n":
                self._next_page()
            elif text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(self.hits):
                print_article(self.screen, self._hit(text).article, self.index.schema)
            elif text:
                self._search(line.rstrip("\r\n"), self.prompt_width)
        except NewsIndexError as error:
            self.screen.say(one_line(str(error)), "red")
        return True

    def _command(self, text: str) -> bool:
        name, _, argument = text.partition(" ")
        argument = argument.strip()
        actions: dict[str, Callable[[str], None]] = {
            ":help": self._help,
            ":facets": self._facets,
            ":sort": self._sort,
            ":where": self._where,
            ":limit": self._limit,
            ":explain": self._explain,
            ":stats": self._stats,
        }
        if name in {":quit", ":q"}:
            return False
        action = actions.get(name)
        if action is None:
            near = difflib.get_close_matches(name, [*actions, ":quit"], n=1)
            hint = f"did you mean {near[0]}?" if near else ":help lists the commands"
            raise QueryError(f"no command {name[:40]}; {hint}")
        action(argument)
        return True

    def _search(self, query: str, prompt_width: int | None) -> None:
        self.index.refresh()
        self.query, self.hits, self.cursor = None, [], None
        self._page(query, prompt_width)

    def _page(self, query: str, prompt_width: int | None) -> None:
        began = time.perf_counter()
        first = not self.hits
        results = self.index.search(query, where=self.where, limit=self.limit, sort=self.sort, after=self.cursor)
        total = results.total
        seconds = time.perf_counter() - began
        if first:
            print_diagnostics(self.screen, query, results.diagnostics, prompt_width)
            if differs(query, results.searched):
                self.screen.say(f"searched: {one_line(results.searched)}", "dim")
            print_total(self.screen, results, seconds)
        print_hits(self.screen, results)
        self.query, self.cursor = query, results.next
        self.hits += results
        if self.cursor is not None and not self.screen.plain:
            self.screen.say(f"n: next page, of {counted(total, 'hit')}", "dim")

    def _next_page(self) -> None:
        if self.query is None:
            raise QueryError('no hits to go on from; type a query first ("n" in quotes searches for the letter)')
        if self.cursor is None:
            raise QueryError("no further hits")
        self._page(self.query, None)

    def _again(self) -> None:
        """Search once more after a setting changed."""
        if self.query is not None:
            self._search(self.query, None)

    def _hit(self, number: str) -> Hit:
        if not (number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= len(self.hits)):
            shown = f"hits 1 to {len(self.hits)} are shown" if self.hits else "no hits are shown"
            raise QueryError(f"no hit {number[:20] or 'number given'}: {shown}")
        return self.hits[int(number) - 1]

    def _help(self, _: str) -> None:
        rows = {
            'lavrov "peace conference" -sports': "a query; words are all needed, best hit first",
            "source:CNN  title:(xi lavrov)  lead:visit  summary:*": "a field; in the first paragraph; in it at all",
            'published:2024-03..2024-04  published:"last week"  when:7d  after:2024-03  wc>500': "a period; a length",
            "visit*  wom?n  lavrof~  =visits  caps(US)": "beginning; fitting; nearly so; just this form; with capitals",
            "lavrov OR wang  putin^2  min:2(xi putin biden)": "either; counts double; two of them",
            'xi w/5 putin  pre/5  /s  /p  not w/5  "xi putin"~5': "so near; in order; in a sentence, a paragraph; not",
            "atleast3(visit)": "so often or more",
            "n": "next page",
            "3": "read hit 3 (a number that is not on the list is searched)",
        }
        for left, right in (rows | COMMANDS).items():
            self.screen.say(f"{left}\n    {right}")

    def _facets(self, argument: str) -> None:
        if not argument:
            raise QueryError(":facets needs a field, as :facets source")
        fields = argument.replace(",", " ").split()
        results = self.index.search(self.query or "", where=self.where, limit=0, facets=fields)
        print_facets(self.screen, results.facets, _MOST_VALUES)

    def _sort(self, argument: str) -> None:
        chosen = next((sort for sort in SORTS if sort == argument), None)
        if chosen is None:
            raise QueryError(f":sort takes {', '.join(SORTS)}; it is {self.sort}")
        self.sort = chosen
        self._again()

    def _where(self, argument: str) -> None:
        where = parse_where(split_conditions(argument), self.index.schema)
        self.index.count("", where=where)  # a wrong field or value is refused before it is kept
        self.where = where
        if not where and self.query is None:
            self.screen.say("no filter")
        self._again()

    def _limit(self, argument: str) -> None:
        if not (argument.isascii() and argument.isdigit() and 1 <= int(argument[:9]) <= _MOST_HITS):
            raise QueryError(f":limit takes a number from 1 to {_MOST_HITS:,}; it is {self.limit}")
        self.limit = int(argument)
        self._again()

    def _explain(self, argument: str) -> None:
        if not argument:
            if self.query is None:
                raise QueryError("no query to explain; type one first, or :explain and the number of a hit")
            print_plan(self.screen, self.index.explain_query(self.query, where=self.where))
            return
        hit = self._hit(argument)
        print_explanation(self.screen, self.index.explain(self.query or "", hit.id, where=self.where))

    def _stats(self, _: str) -> None:
        print_stats(self.screen, self.index.stats())
