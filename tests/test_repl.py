"""The prompt: through a pseudo-terminal as a person has it, and as plain lines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom import ARTICLES, ESCAPE_CODE, FORBIDDEN, build
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

import newsindex
from newsindex.display import Screen
from newsindex.index import NewsIndex
from newsindex.repl.completion import ArchiveCompleter, history_file, open_history
from newsindex.repl.prompt import COMMANDS, SORTS, Prompt

pexpect = pytest.importorskip("pexpect", reason="pexpect drives the pseudo-terminal, which this system does not have")

# The prompt turns bracketed paste on when it begins to read a line, and off when it has read it.
_ASKING, _ANSWERING = "\x1b[?2004h", "\x1b[?2004l"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(tmp_path_factory.mktemp("repl") / "news")


@pytest.fixture(scope="module")
def index(archive: str) -> Iterator[NewsIndex]:
    with newsindex.open(archive) as opened:
        yield opened


def plain(archive: str, lines: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "newsindex", "repl", archive],
        input=lines.encode(), capture_output=True, check=False, env=os.environ | environment, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == b""
    return done.stdout.decode()


class Terminal:
    """The prompt in a pseudo-terminal; what it shows is compared without escape codes."""

    def __init__(self, archive: str, home: Path, **environment: str) -> None:
        variables = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        # The pseudo-terminal answers no questions about its cursor.
        variables |= {"TERM": "xterm-256color", "XDG_STATE_HOME": str(home), "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.child = pexpect.spawn(
            sys.executable, ["-m", "newsindex", "repl", archive],
            env=variables | environment, encoding="utf-8", timeout=20, dimensions=(50, 110),
        )  # fmt: skip
        self.child.expect_exact(_ASKING)
        self.greeting = ESCAPE_CODE.sub("", self.child.before)
        self.raw = ""

    def complete(self, typed: str, added: str) -> None:
        """Type the beginning of something and TAB, and wait for what is added to it: what was typed may come before."""
        self.child.send(f"{typed}\t")
        self.child.expect_exact(added)

    def answer(self, line: str) -> str:
        """Type a line; return what is printed before the next prompt."""
        self.child.send(f"{line}\r")
        self.child.expect_exact(_ANSWERING)
        self.child.expect_exact(_ASKING)
        self.raw = self.child.before
        printed = ESCAPE_CODE.sub("", self.raw).replace("\r", "")
        assert not FORBIDDEN.search(printed)
        return printed

    def leave(self, keys: str) -> None:
        self.child.send(keys)
        self.child.expect(pexpect.EOF)
        self.child.close()
        assert self.child.exitstatus == 0


def test_a_person_searches_reads_and_leaves(archive: str, tmp_path: Path) -> None:
    terminal = Terminal(archive, tmp_path)
    assert "15 articles in news" in terminal.greeting
    shown = terminal.answer("harbour tide")
    assert "12 hits in" in shown
    assert " 10  Harbour tide report" in shown
    assert "n: next page" in shown
    assert "\x1b[1;33m" in terminal.raw  # what matched is bold and yellow

    shown = terminal.answer("n")
    assert " 11  Harbour tide report" in shown
    assert "n: next page" not in shown
    assert "no further hits" in terminal.answer("n")
    shown = terminal.answer("12")
    assert "Boats waited at the quay" in shown
    assert "published: 2024-03-" in shown
    assert "idf" in terminal.answer(":explain 1")

    shown = terminal.answer("kiev titel:tram")
    assert shown.startswith(f"{' ' * len('newsindex> kiev ')}^^^^^^\n")  # under the line as it was typed
    assert "did you mean title?" in shown
    assert "searched: kiev titel tram" in shown

    shown = terminal.answer("saboteur")
    assert "Saboteur [31mpaints[0m [red]bridge[/red] :smile:" in shown
    assert "]0;owned" in terminal.answer("1")
    terminal.leave(":quit\r")

    kept = (tmp_path / "newsindex" / "history").read_text(encoding="utf-8")
    assert "+harbour tide\n" in kept


def test_tab_completes_fields_values_and_commands(archive: str, tmp_path: Path) -> None:
    terminal = Terminal(archive, tmp_path)
    terminal.complete("kiev sou", "rce:")
    terminal.complete("Harb", 'our Post"')
    shown = terminal.answer("")
    assert "1 hit in" in shown
    assert "Trams of Kiev" in shown
    terminal.complete(":fac", "ets")
    assert "        1  World News" in terminal.answer(" section")
    terminal.leave("\x04")


def test_control_c_drops_the_line_and_control_d_leaves(archive: str, tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.touch()
    terminal = Terminal(archive, no_folder, NO_COLOR="1")
    assert "history is not kept" in terminal.greeting
    terminal.child.send("half a que\x03")
    terminal.child.expect_exact(_ANSWERING)
    terminal.child.expect_exact(_ASKING)
    assert "1 hit in" in terminal.answer("trams")
    assert "\x1b[1m" in terminal.raw
    assert "33" not in "".join(ESCAPE_CODE.findall(terminal.raw))
    terminal.leave("\x04")


def test_plain_lines_in_plain_lines_out(archive: str) -> None:
    shown = plain(archive, "trams\n\n1\n:quit\nnot read\n", FORCE_COLOR="1")
    first, rest = shown.split("\n", 1)
    assert first.startswith("1 hit in ")
    assert rest == (
        "  1  Trams of Kiev run again\n     Harbour Post · no date\n"
        "     Kiev welcomed its trams. Naïve travellers paid twice.\n"
        "Trams of Kiev run again\n  id: kiev\n  source: Harbour Post\n  section: World News\n\n"
        "Kiev welcomed its trams.\nNaïve travellers paid twice.\n"
    )


def test_settings_hold_for_the_next_searches_and_search_again(archive: str) -> None:
    shown = plain(archive, "harbour\n:limit 2\n:sort oldest\n:where source=Wire published=2024-03\nn\n:where\n")
    answers = shown.split("hits in")
    ranks = [
        [line[:3].strip() for line in answer.splitlines() if line[3:5] == "  " and line[2].isdigit()]
        for answer in answers
    ]
    assert [len(found) for found in ranks] == [0, 10, 2, 2, 4, 2]
    assert "Harbour tide report number 1\n" in answers[3]
    assert "searched: harbour source:Wire published:[2024-03-01T00:00Z TO 2024-04-01T00:00Z}" in answers[3]
    assert [f"number {number}\n" in answers[4] for number in (3, 6, 9, 12)] == [True] * 4


def test_facets_explanation_and_stats_are_of_this_archive(archive: str) -> None:
    shown = plain(archive, ":facets source\nconference\n:facets section authors\n:explain\n:explain 1\n:stats\n")
    before, after = shown.split("1 hit in")
    assert "        9  Harbour Post\n        5  Wire\n        1  Night[1m Desk\n" in before
    assert "section\n        1  World News\n" in after
    assert "        1  Ines Quill\n" in after
    assert "searched: conference\n" in after
    assert "confer (1 articles)" in after or "confer (1 article)" in after
    assert "confer = factor 1 × idf" in after
    assert f"articles       {len(ARTICLES)}\n" in after


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("n", "no hits to go on from"),
        (":explain", "no query to explain"),
        (":explain 3", "no hit 3: no hits are shown"),
        (":explain x", "no hit x: no hits are shown"),
        (":facets", ":facets needs a field"),
        (":facets title", "'title' is no keyword field"),
        (":sort upwards", ":sort takes relevance, newest, oldest; it is relevance"),
        (":limit 0", ":limit takes a number from 1 to 1,000; it is 10"),
        (":where", "no filter"),
        (":where source", "not a filter: 'source'"),
        (":where sourze=Wire", "where: no field 'sourze'; did you mean 'source'?"),
        (":where published=never", "where: 'published': not a date: 'never'"),
        (":stat", "no command :stat; did you mean :stats?"),
        (":frobnicate", "no command :frobnicate; :help lists the commands"),
        ("x" * 5000, "query too complex: the number of characters is 5,000"),
        ("zzzz", "no article has the word 'zzzz'\nno hits ("),
        ("2024", "no hits ("),
        ("\x1b[31mzzzz\u202e", "  [31mzzzz\n"),
    ],
)
def test_a_mistake_is_one_line_and_the_prompt_goes_on(
    archive: str, index: NewsIndex, line: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = Prompt(index, Screen(sys.stdout))
    assert prompt.answer(line + "\n")
    shown = capsys.readouterr().out
    assert expected in shown
    assert not FORBIDDEN.search(shown)
    assert prompt.answer("trams")
    assert "Trams of Kiev" in capsys.readouterr().out


def test_help_names_every_command(archive: str) -> None:
    shown = plain(archive, ":help\n")
    for command in COMMANDS:
        assert command in shown


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ti", ["title:"]),
        ("kiev -so", ["source:"]),
        ("(SEC", ["section:"]),
        ("kiev url", []),  # stored, not searched
        ("source:", ['"Harbour Post"', "Wire"]),
        ("source:har", ['"Harbour Post"']),
        ('source:"har', ['"Harbour Post"']),
        ("source:wi", ["Wire"]),
        ("title:ki", []),
        (":s", [":sort", ":stats"]),
        (":sort ", ["relevance", "newest", "oldest"]),
        (":facets sec", ["section"]),
        (":where so", ["source="]),
        (":where section=wor", ['"World News"']),
    ],
)
def test_completion(index: NewsIndex, typed: str, expected: list[str]) -> None:
    completer = ArchiveCompleter(index, COMMANDS, SORTS)
    found = list(completer.get_completions(Document(typed), CompleteEvent(completion_requested=True)))
    assert [completion.text for completion in found] == expected
    for completion in found:  # what is replaced is what was typed of the word
        assert (
            completion.text.lower()
            .strip('"')
            .startswith(typed[len(typed) + completion.start_position :].lower().strip('"'))
        )


def test_history_stands_where_the_platform_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "")
    assert history_file() == tmp_path / ".local" / "state" / "newsindex" / "history"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert history_file() == tmp_path / "state" / "newsindex" / "history"
    told: list[str] = []
    open_history(told.append).append_string("lavrov")
    assert history_file().stat().st_mode & 0o077 == 0
    assert told == []


def test_history_that_cannot_be_written_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    told: list[str] = []
    history = open_history(told.append)
    history_file().unlink()
    history_file().mkdir()
    history.append_string("first")
    history.append_string("second")
    assert len(told) == 1
    assert told[0].startswith("history is kept no longer")
    assert history.get_strings() == ["first", "second"]
