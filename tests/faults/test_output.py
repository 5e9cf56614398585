"""Articles made to harm whoever looks at them: as HTML they have no live tag, on a terminal no command."""

from __future__ import annotations

import io
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import newsindex
from newsindex.display import (
    Screen,
    json_text,
    print_article,
    print_diagnostics,
    print_explanation,
    print_facets,
    print_hits,
)
from tests.faults.figures import Figures
from tests.faults.test_kill import FULL
from tests.newsroom import FORBIDDEN

ARTICLES = 10_000 if FULL else 100
QUERIES = ("script", "alert", "img", "harbour", '"harbour script"', "href OR onerror", "x*")
# What the styles of a list are made of; anything else would be a command from an article.
STYLE = re.compile(r"\x1b\[(?:\d{1,3}(?:;\d{1,3})*)?m")
VECTORS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>',
    "'><svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>", "</mark><script>", "<mark onclick=alert(1)>",
    "</title><style>", "<!--", "-->",
    "<![CDATA[", "]]>", "&lt;script&gt;", "&#60;script&#62;", "&#x3c;img&#x3e;", "<iframe srcdoc='x'>", "<\x00script>",
    "<scr\u202eipt>", "<\u200escript>", "\x1b[2J", "\x1b]0;owned\x07", "\x1b]8;;http://x.example\x07x\x1b]8;;\x07",
    "\x9b31m",
    "\x1bP+q\x1b\\", "\u202eharbour\u202c", "\u2066x\u2069", "\u061c", "\x08\x08\x08", "\r", "\x0b", "\x0c", "\x85",
    "\u2028", "\ufeff", "\x7f", "\x00", "[red]", "[link=http://x.example]x[/link]", ":smile:", "\x1b[6n", "\x0e",
    "\x1bc",
    "<", ">", "&", '"', "'", "`", "=", "/", "<script", "<x ", "onerror=", "﹤script﹥", "＜script＞", "ſcript", "İmg",
)  # fmt: skip
WORDS = ("harbour", "script", "alert", "img", "rates", "x", "href", "onerror", "中文", "é", "\u0301", "\U0001f600")


def hostile(number: int) -> dict[str, Any]:
    chance = random.Random(f"hostile article {number}")

    def text(most: int) -> str:
        parts = (chance.choice(VECTORS if chance.random() < 0.5 else WORDS) for _ in range(chance.randrange(1, most)))
        return "".join(part + chance.choice(("", " ", " ")) for part in parts)

    return {
        "id": f"{number}{text(4)}",
        "title": f"harbour {text(12)}",
        "body": f"{text(60)} harbour script {text(60)}",
        "summary": text(10),
        "source": text(5),
        "section": text(3),
        "authors": [text(4), text(4)],
        "tags": [text(3)],
        "url": f"javascript:{text(3)}",
        "published": "2024-05-01T10:00:00Z",
        f"key{text(2)}": text(3),
    }


class LiveTags(HTMLParser):
    """What a browser would take for more than text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag != "mark" or attributes:
            self.found.append(f"<{tag} {attributes}>")

    def handle_endtag(self, tag: str) -> None:
        if tag != "mark":
            self.found.append(f"</{tag}>")

    def handle_comment(self, data: str) -> None:
        self.found.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def check_html(shown: str) -> int:
    parser = LiveTags()
    parser.feed(shown)
    parser.close()
    assert not parser.found, f"{parser.found} in {shown!r}"
    # Whatever a parser makes of it: no character of markup but those of <mark>, none of a quoted attribute.
    bare = re.sub("</?mark>", "", shown)
    assert not re.search("[<>\"']", bare), shown
    assert not FORBIDDEN.search(shown), repr(shown)
    return shown.count("<mark>")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def check_terminal(file: Terminal) -> None:
    shown = STYLE.sub("", file.getvalue())
    found = FORBIDDEN.search(shown)
    assert found is None, repr(shown[max(0, found.start() - 50) : found.end() + 50])
    file.seek(0)
    file.truncate()


def test_the_checks_see_what_is_live() -> None:
    for bad in ("<script>", "<mark a=1>", "a\x1b[2J", "</b>", "<!-- -->", "a \u202e", "'x"):
        try:
            check_html(bad)
        except AssertionError:
            continue
        raise AssertionError(f"{bad!r} is not seen")
    file = Terminal("x\x1b[2J")
    try:
        check_terminal(file)
    except AssertionError:
        return
    raise AssertionError("an escape is not seen")


def test_hostile_articles_are_only_text(tmp_path: Path, figures: Figures) -> None:
    file = Terminal()
    screen = Screen(file)
    marked = shown = 0
    with newsindex.open(tmp_path / "index", create=True) as index:
        report = index.add(map(hostile, range(ARTICLES)))
        assert report.added == ARTICLES, report.rejected[:3]
        for query in QUERIES:
            results = index.search(
                query, limit=None if query == "harbour" else 200, facets=("source", "tags", "authors")
            )
            print_hits(screen, results, ids=True)
            print_facets(screen, results.facets, 100)
            check_terminal(file)
            for hit in results:
                shown += 1
                marked += check_html(hit.snippet.html())
                marked += check_html(index.highlight(query, hit.title, "title").html())
            if query == "harbour":
                assert results.total == len(results) == ARTICLES
                for hit in results:
                    print_article(screen, hit.article, index.schema)
                    told = json_text(hit.article.model_dump(mode="json"))
                    assert not FORBIDDEN.search(told)
                    assert "\n" not in told
                check_terminal(file)
        for number in range(0, ARTICLES, 50):
            query = hostile(number)["body"]
            results = index.search(query[:200])
            print_diagnostics(screen, query, results.diagnostics)
            for hit in results:
                print_explanation(screen, index.explain(query[:200], hit.id))
            check_terminal(file)
    assert marked > shown
    figures(
        "T14", "hostile articles shown", ARTICLES, wrong=0, crashed=0,
        note=f"{shown:,} hits, {marked:,} words marked: no live tag, attribute, control or turn of direction",
    )  # fmt: skip
