"""What is printed is safe, readable, and the same text that was stored."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from newsroom import ESCAPE_CODE, FORBIDDEN, HOSTILE

from newsindex import Article
from newsindex.display import (
    Screen,
    differs,
    json_text,
    one_line,
    print_article,
    print_diagnostics,
    print_facets,
    print_hits,
    printable,
    snippet_text,
)
from newsindex.query.diagnostics import Diagnostic
from newsindex.results import Hit, Results, Snippet
from newsindex.schema import Schema
from tests.pages import GivenPage

# Characters that terminals act on, much more often than chance would bring them.
NASTY = st.text(
    st.one_of(
        st.sampled_from("\x1b\x9b\x07\x08\r\n\t\x7f\x85\u2028\u202e\u2066\u200f\u061c\ud800[]m3;:"),
        st.characters(),
    )
)


class Terminal(io.StringIO):
    """A text file that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


def hit(article: Article, snippet: Snippet | None = None) -> Hit:
    return Results(GivenPage([article], snippet))[0]


@given(NASTY)
@example("\r\x00\n")
@example("\x1b\x1b[31m\x9b2J")
def test_printable_text_commands_nothing(text: str) -> None:
    shown = printable(text)
    assert not FORBIDDEN.search(shown)
    assert printable(shown) == shown
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert set(shown) - set(text) <= {"\n", "\ufffd"}


def test_every_forbidden_character_is_taken_and_every_other_kept() -> None:
    line_breaks = "\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if character in line_breaks:
            assert printable(character) == "\n"
        elif 0xD800 <= code < 0xE000:
            assert printable(character) == "\ufffd"
        else:
            assert printable(character) == ("" if FORBIDDEN.match(character) else character), hex(code)


@given(NASTY)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(st.dictionaries(NASTY, st.one_of(NASTY, st.lists(NASTY), st.none(), st.integers())))
def test_json_is_safe_to_print_and_loses_nothing(data: dict[str, object]) -> None:
    text = json_text(data)
    assert not FORBIDDEN.search(text)
    assert len(text.splitlines()) == 1
    assert json.loads(text) == data


@given(NASTY, st.data())
def test_a_snippet_is_one_line_with_its_matches_marked(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown = snippet_text(Snippet(text, ((start, end),) if end > start else ()))
    assert not FORBIDDEN.search(shown.plain)
    assert "\n" not in shown.plain
    marked = "".join(shown.plain[span.start : span.end] for span in shown.spans if span.style)
    assert marked.split() == printable(text[start:end]).split()


def test_a_snippet_marks_what_matched_and_tells_where_it_was_cut() -> None:
    shown = snippet_text(Snippet("rates \nfell again", ((6, 11),), "body", True, True))
    assert shown.plain == "… rates  fell again …"
    assert [(span.start, span.end) for span in shown.spans] == [(8, 13)]


@given(NASTY)
def test_a_terminal_gets_no_codes_but_those_of_the_styles(text: str) -> None:
    file = Terminal()
    screen = Screen(file)
    article = Article(id=text, title=text, body=text, source=text, authors=[text])
    print_hits(screen, [hit(article)], ids=True)
    print_article(screen, article, Schema(Article))
    print_facets(screen, {text: {text: 1}})
    print_diagnostics(screen, text, [Diagnostic("kind", text, 0, len(text), text, text)], 11)
    printed = ESCAPE_CODE.sub("", file.getvalue())
    assert not FORBIDDEN.search(printed)


def test_markup_in_an_article_is_only_text(terminal: Terminal) -> None:
    screen = Screen(terminal)
    article = Article.model_validate(HOSTILE)
    print_hits(screen, [hit(article)])
    print_article(screen, article, Schema(Article))
    shown = ESCAPE_CODE.sub("", terminal.getvalue())
    assert "Saboteur [31mpaints[0m [red]bridge[/red] :smile:" in shown
    assert "line of it rang." in shown
    assert "[link=http://example.org]Vex[/link]" in shown
    assert "\x1b]" not in terminal.getvalue()


def test_text_is_wrapped_on_a_terminal_and_left_alone_in_a_pipe(terminal: Terminal) -> None:
    article = Article(title="Long", body="word " * 40 + "\n\nSecond paragraph.")
    print_article(Screen(terminal), article, Schema(Article))
    assert max(len(line) for line in ESCAPE_CODE.sub("", terminal.getvalue()).splitlines()) <= 60
    pipe = io.StringIO()
    print_article(Screen(pipe), article, Schema(Article))
    assert ("word " * 40).strip() in pipe.getvalue().splitlines()
    assert "\n\nSecond paragraph.\n" in pipe.getvalue()


def test_a_pipe_gets_no_escape_codes_even_when_colour_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    pipe = io.StringIO()
    print_hits(Screen(pipe), [hit(Article(title="Rates", body="rates fell"), Snippet("rates fell", ((0, 5),)))])
    assert pipe.getvalue() == "  1  Rates\n     no date\n     rates fell\n"


def test_no_color_leaves_no_colours(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    print_hits(Screen(terminal), [hit(Article(title="Rates", body="rates"), Snippet("rates", ((0, 5),)))])
    codes = {code for codes in ESCAPE_CODE.findall(terminal.getvalue()) for code in codes[2:-1].split(";")}
    assert codes <= {"0", "1", "2"}  # reset, bold, dim
    assert "1" in codes


def test_an_article_is_headed_by_what_is_known_of_it() -> None:
    pipe = io.StringIO()
    article = Article(
        id="a1", title="Rates fell", source="Wire", authors=["Ines Quill", "Tom Aldersey"], body="They fell.",
        published=datetime(2024, 4, 9, 8, 30, tzinfo=UTC), url="https://example.org/a", boilerplate="Related Posts",
    )  # fmt: skip
    print_article(Screen(pipe), article, Schema(Article))
    assert pipe.getvalue() == (
        "Rates fell\n  id: a1\n  url: https://example.org/a\n  published: 2024-04-09 08:30 UTC\n  source: Wire\n"
        "  authors: Ines Quill, Tom Aldersey\n\nThey fell.\n"
    )


@pytest.mark.parametrize(
    ("query", "start", "end", "expected"),
    [
        ("kiev titel:x", 5, 11, "  kiev titel:x\n       ^^^^^^\n  what\n"),
        ("中文 titel:x", 3, 9, "  中文 titel:x\n       ^^^^^^\n  what\n"),
        ("\x1b[1mx titel:x", 6, 12, "  [1mx titel:x\n       ^^^^^^\n  what\n"),
        ("kiev", 0, 0, "  what\n"),
        (f"{'x ' * 100}titel:x", 200, 206, f"  …{'x ' * 15}titel:x\n{' ' * 33}^^^^^^\n  what\n"),
    ],
)
def test_carets_stand_under_the_part_concerned(query: str, start: int, end: int, expected: str) -> None:
    pipe = io.StringIO()
    print_diagnostics(Screen(pipe), query, [Diagnostic("kind", "what", start, end)])
    assert pipe.getvalue() == expected


def test_under_a_prompt_the_query_is_not_repeated(terminal: Terminal) -> None:
    found = [Diagnostic("kind", "one", 0, 3), Diagnostic("kind", "two", 6, 7, suggestion="more")]
    print_diagnostics(Screen(terminal), "abc + (", found, 11)
    shown = ESCAPE_CODE.sub("", terminal.getvalue())
    assert shown == f"{' ' * 11}^^^   ^\n  one\n  two; did you mean more?\n"


def test_many_diagnostics_are_summed_up() -> None:
    pipe = io.StringIO()
    print_diagnostics(Screen(pipe), "(" * 500, [Diagnostic("kind", "open", at, at + 1) for at in range(500)])
    assert pipe.getvalue().endswith("and 495 more\n")
    assert len(pipe.getvalue().splitlines()) < 20


@pytest.mark.parametrize(
    ("typed", "searched", "expected"),
    [
        ("lavrov  AND xi", "lavrov xi", False),
        ("“peace conference”", '"peace conference"', False),
        ("lavrov NOT xi", "lavrov -xi", False),
        ("", "*", False),
        ("titel:kiev", "titel kiev", True),
        ("kiev", 'kiev source:"Wire"', True),
    ],
)
def test_searched_is_shown_only_when_it_is_something_else(typed: str, searched: str, expected: bool) -> None:
    assert differs(typed, searched) is expected


@given(NASTY, st.data())
def test_a_snippet_in_html_has_no_control_characters(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown = Snippet(text, ((start, end),) if start < end else (), cut_end=True).html()
    assert not FORBIDDEN.search(shown)
    assert re.sub("</?mark>| …\\Z", "", shown).count("<") == 0


def test_html_of_a_snippet_keeps_what_is_text() -> None:
    shown = Snippet("a\u202e <b>\x1b[31m & né", ((3, 6),), cut_start=True).html()
    assert shown == "… a <mark>&lt;b&gt;</mark>[31m &amp; né"


def test_facets_stop_where_asked() -> None:
    facets = {"tags": {f"tag {number}": 100 - number for number in range(25)}, "source": {}}
    pipe = io.StringIO()
    print_facets(Screen(pipe), facets, 20)
    assert "       81  tag 19\n     and 5 more\nsource\n     no values\n" in pipe.getvalue()
    pipe = io.StringIO()
    print_facets(Screen(pipe), facets)
    assert "tag 24" in pipe.getvalue()
