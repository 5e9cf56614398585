"""Hits, articles and messages on a terminal or in a pipe. Nothing from outside reaches either unsifted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from pydantic import BaseModel
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from newsindex.query.diagnostics import Diagnostic
from newsindex.results import CONTROL, Explanation, Hit, Results, Snippet, printable
from newsindex.schema import Schema, Stored

if TYPE_CHECKING:
    from newsindex.index import Stats

__all__ = [
    "Screen",
    "article_title",
    "counted",
    "differs",
    "json_text",
    "one_line",
    "print_article",
    "print_diagnostics",
    "print_explanation",
    "print_facets",
    "print_hits",
    "print_plan",
    "print_stats",
    "print_total",
    "printable",
    "snippet_text",
]

# json.dumps escapes C0 itself; \n and \t are in no JSON text of one line.
_UNSAFE_IN_JSON = re.compile(f"[{CONTROL}\u2028\u2029\ud800-\udfff]")

_WIDEST = 100  # running text in longer lines is hard to read
_INDENT = 5
_MOST_DIAGNOSTICS = 5
_EXCERPT = 30
_STRAIGHT_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | {"’": "'", "‘": "'"})


def one_line(text: str) -> str:
    """Return the printable text with every run of white space as one space."""
    return " ".join(printable(text).split())


def json_text(data: Any) -> str:
    r"""Return JSON on one line that is safe to print: what `printable` would drop is escaped, so nothing is lost.

    >>> json_text({"title": "é\u202e\x9b"})
    '{"title": "é\\u202e\\u009b"}'
    """
    text = json.dumps(data, ensure_ascii=False)
    return _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def counted(number: int, noun: str) -> str:
    """Return the number with its noun.

    >>> counted(1, "hit"), counted(2000, "hit")
    ('1 hit', '2,000 hits')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Screen(Console):
    """A rich console on which text is only text: no markup, no emoji codes, no colouring of what looks like numbers.

    On anything but a terminal there are no escape codes and no wrapped lines, whatever the environment says; on a
    terminal NO_COLOR is respected.
    """

    def __init__(self, file: IO[str]) -> None:
        self.plain = not file.isatty()
        super().__init__(
            file=file,
            force_terminal=not self.plain,
            color_system=None if self.plain else "auto",
            soft_wrap=self.plain,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def on_broken_pipe(self) -> None:
        """Let the program decide what to do when nobody reads any more."""
        raise BrokenPipeError

    def say(self, text: str | Text, style: str = "", indent: int = 0) -> None:
        """Print text, wrapped on a terminal, each line of it indented by so many columns."""
        if isinstance(text, str):
            text = Text(printable(text), style)
        width = min(self.width, _WIDEST) - indent
        lines = text.split("\n", allow_blank=True) if self.plain else text.wrap(self, max(width, 10))
        for line in lines:
            line.rstrip()
            self.print_line(Text(" " * indent if line else "").append_text(line))

    def print_line(self, text: Text) -> None:
        """Print text as it is, in one line."""
        self.print(text, soft_wrap=True)


def snippet_text(snippet: Snippet) -> Text:
    """Return the snippet on one line, with what matched in the style of a match."""
    text = Text("… " if snippet.cut_start else "")
    for piece, matched in snippet.pieces():
        text.append(re.sub(r"\s+", " ", printable(piece)), "bold yellow" if matched else "")
    return text.append(" …" if snippet.cut_end else "")


def print_hits(screen: Screen, hits: Iterable[Hit], *, ids: bool = False) -> None:
    """Print hits as a list: rank and title, source and day (and id), snippet."""
    for hit in hits:
        screen.say(Text.assemble((f"{hit.rank:>3}  ", "cyan"), (one_line(hit.title) or "(no title)", "bold")))
        about = [hit.source or "", hit.published.date().isoformat() if hit.published else "no date"]
        if ids:
            about.append(hit.id)
        screen.say(" · ".join(filter(None, map(one_line, about))), "dim", _INDENT)
        snippet = snippet_text(hit.snippet)
        if snippet.plain.strip():
            screen.say(snippet, indent=_INDENT)


def print_total(screen: Screen, results: Results, seconds: float) -> None:
    """Print the exact count and the time taken; that nothing matches is said in words."""
    took = f"{seconds * 1000:.0f} ms"
    screen.say(f"{counted(results.total, 'hit')} in {took}" if results.total else f"no hits ({took})", "dim")


def differs(query: str, searched: str) -> bool:
    """Tell whether a reader would take the query as searched for another one than was typed.

    >>> differs("lavrov  AND “peace conference”", 'lavrov "peace conference"'), differs("titel:kiev", "titel kiev")
    (False, True)
    """
    return _bare(query) != _bare(searched)


def _bare(query: str) -> str:
    words = one_line(query).translate(_STRAIGHT_QUOTES).replace(" NOT ", " -").split()
    text = " ".join(word for word in words if word != "AND")
    return "*" if not text else text.rstrip('"')


def print_diagnostics(
    screen: Screen, query: str, diagnostics: Sequence[Diagnostic], prompt_width: int | None = None
) -> None:
    """Print what was not understood in a query, with carets under the part concerned.

    Args:
        screen: where to.
        query: the query as typed.
        diagnostics: what was found.
        prompt_width: columns before the query when it already stands on the line above; None prints it again.
    """
    typed = _flat(query)
    indent = 2 if prompt_width is None else prompt_width
    placed = [found for found in diagnostics if found.end > found.start]
    # Carets under the whole query say nothing beside carets under a part of it.
    placed = [found for found in placed if found.end - found.start < len(query)] or placed
    short = len(typed) <= 4 * _EXCERPT and (screen.plain or cell_len(typed) + indent < screen.width)
    if placed and short:
        if prompt_width is None:
            screen.print_line(Text(" " * indent + typed))
        screen.print_line(Text(" " * indent + _carets(query, placed), "yellow"))
    for found in diagnostics[:_MOST_DIAGNOSTICS]:
        if found in placed and not short:
            _print_excerpt(screen, query, found)
        screen.say(one_line(str(found)), "yellow", 2)
    if len(diagnostics) > _MOST_DIAGNOSTICS:
        screen.say(f"and {len(diagnostics) - _MOST_DIAGNOSTICS:,} more", "yellow", 2)


def _print_excerpt(screen: Screen, query: str, found: Diagnostic) -> None:
    """Print the part of a long query around what a diagnostic is about, with carets."""
    start, marked_end = max(0, found.start - _EXCERPT), min(found.end, found.start + _EXCERPT)
    end = marked_end + _EXCERPT // 2
    before, marked = _flat(query[start : found.start]), _flat(query[found.start : marked_end])
    screen.print_line(Text(f"  {'…' if start else ' '}{_flat(query[start:end])}{'…' if end < len(query) else ''}"))
    screen.print_line(Text(" " * (3 + cell_len(before)) + "^" * max(1, cell_len(marked)), "yellow"))


def _flat(text: str) -> str:
    """Return the text printable in one line; parts flattened and joined are the flattened whole."""
    return printable(text.replace("\r", "")).replace("\n", " ").replace("\t", " ")


def _carets(query: str, diagnostics: Sequence[Diagnostic]) -> str:
    columns = [" "] * cell_len(_flat(query))
    for found in diagnostics:
        start = cell_len(_flat(query[: found.start]))
        for at in range(start, max(start + 1, cell_len(_flat(query[: found.end])))):
            columns[at : at + 1] = "^"
    return "".join(columns).rstrip()


def print_facets(screen: Screen, facets: Mapping[str, Mapping[str, int]], most: int | None = None) -> None:
    """Print the counts of each value, most frequent first, a block for each field, of at most so many values."""
    for field, counts in facets.items():
        screen.say(one_line(field), "bold")
        for value, count in islice(counts.items(), most):
            screen.say(Text.assemble((f"{count:>9,}  ", "cyan"), one_line(value)))
        if not counts:
            screen.say("no values", indent=_INDENT)
        if most is not None and len(counts) > most:
            screen.say(f"and {len(counts) - most:,} more", indent=_INDENT)


def article_title(article: BaseModel, schema: Schema) -> str:
    """Return the article's title on one line: its first text field, "(no title)" when that is empty."""
    return one_line(str(getattr(article, _title_field(schema)) or "")) or "(no title)"


def print_article(screen: Screen, article: BaseModel, schema: Schema) -> None:
    """Print a whole article: title, then its other fields by name, then its text."""
    screen.say(article_title(article, schema), "bold")
    texts = [name for name in schema.text_fields if name != _title_field(schema)]
    for name, field in schema.fields.items():
        value = getattr(article, name)
        # A stored text of many lines (the boilerplate cut from a page) is no heading.
        long_text = isinstance(field.kind, Stored) and (name == "boilerplate" or "\n" in str(value))
        if name not in schema.text_fields and value is not None and value != [] and not long_text:
            screen.say(Text.assemble((f"{name}: ", "dim"), one_line(_written(value))), indent=2)
    for name in texts:
        value = printable(str(getattr(article, name) or "")).strip("\n")
        if value.strip():
            screen.print()
            screen.say(value)


def _title_field(schema: Schema) -> str:
    return "title" if "title" in schema.text_fields else schema.text_fields[0]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC" if value.time().isoformat() != "00:00:00" else value.date().isoformat()
    return str(value)


def print_explanation(screen: Screen, explanation: Explanation) -> None:
    """Print why a hit has its score, as an indented tree."""
    for line in str(explanation).splitlines():
        screen.print_line(Text(f"  {printable(line)}"))


def print_plan(screen: Screen, plan: str) -> None:
    """Print what a query was taken for, as an indented tree."""
    for line in plan.splitlines():
        screen.print_line(Text(f"  {printable(line)}"))


def print_stats(screen: Screen, stats: Stats) -> None:
    """Print what an archive holds."""
    per_article = f" ({stats.bytes_on_disk / stats.articles:,.0f} an article)" if stats.articles else ""
    rows = {
        "location": str(stats.location),
        "articles": f"{stats.articles:,}",
        "bytes on disk": f"{stats.bytes_on_disk:,}{per_article}",
        "generation": f"{stats.generation}",
        "language": stats.language,
        "oldest": _written(stats.oldest) if stats.oldest else "no dates",
        "newest": _written(stats.newest) if stats.newest else "no dates",
        "fields": ", ".join(f"{name} ({kind})" for name, kind in stats.fields.items()),
    }
    for name, value in rows.items():
        screen.say(Text.assemble((f"{name:<15}", "dim"), one_line(value)))
