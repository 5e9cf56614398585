"""The command line: what it prints where, and with which exit code."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from newsroom import ARTICLES, ESCAPE_CODE, FORBIDDEN, HOSTILE, build, write_jsonl

import newsindex
from newsindex.cli import main
from newsindex.cli.adding import print_report
from newsindex.display import Screen
from newsindex.results import AddReport

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(tmp_path_factory.mktemp("cli") / "news")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function from arguments to (exit code, standard output, standard error)."""

    def run_main(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        printed = capsys.readouterr()
        for text in (printed.out, printed.err):
            assert not FORBIDDEN.search(text)
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return run_main


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "newsindex", *arguments],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=60, **options,
    )  # fmt: skip


# search


def test_search_prints_hits_with_ids(run: Run, archive: str) -> None:
    code, out, err = run("search", archive, "conference")
    assert code == 0
    assert err == ""
    assert out.startswith("1 hit in ")
    assert "\n  1  Ministers meet in Orlan for a peace conference\n     Wire · 2024-04-09 · -dash\n     " in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trams"], ["kiev"]),
        (["-trams", "kiev"], ["-dash"]),
        (["kiev", "-trams"], ["-dash"]),
        (["kiev", "--limit", "5", "-trams"], ["-dash"]),
        (["-n5", "--where", "source=Wire", "kiev"], ["-dash"]),
        (["--", "kiev", "-trams"], ["-dash"]),
        (["kiev -trams"], ["-dash"]),
        (["didn’t"], ["-dash"]),
        (["“peace conference”"], ["-dash"]),
        (["naive"], ["kiev"]),
        (["--where=published=2024-04"], ["-dash"]),
        (["--where", "published=2024-04-09..2024-05", "--sort", "newest"], ["hostile\x1b[2J", "-dash"]),
        (["--where", "published=..2024-03-02", "--sort", "oldest"], ["tide-1", "tide-2"]),
        (["tide", "--where", "source=Wire", "--where", "source=nobody", "--sort=oldest", "-n", "1"], ["tide-3"]),
    ],
)
def test_search_finds(run: Run, archive: str, arguments: list[str], expected: list[str]) -> None:
    code, out, _ = run("search", archive, "--jsonl", *arguments)
    assert code == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == expected


def test_a_word_with_a_dash_comes_first_without_ado(run: Run, archive: str) -> None:
    code, out, err = run("search", archive, "-kiev", "--json")
    assert code == 0
    assert json.loads(out)["total"] == len(ARTICLES) - 2
    assert err == ""


def test_json_has_everything(run: Run, archive: str) -> None:
    code, out, err = run("search", archive, "titel:kiev OR trams", "--json", "--facet", "source", "--facet", "section")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert list(found) == ["query", "searched", "total", "diagnostics", "facets", "next", "hits"]
    assert found["query"] == "titel:kiev OR trams"
    assert found["total"] == 1
    assert found["facets"] == {"source": {"Harbour Post": 1}, "section": {"World News": 1}}
    first = found["diagnostics"][0]
    assert (first["kind"], first["start"], first["suggestion"]) == ("unknown-field", 0, "title")
    (hit,) = found["hits"]
    assert hit["id"] == "kiev"
    assert hit["published"] is None
    assert [hit["snippet"]["text"][start:end] for start, end in hit["snippet"]["spans"]] == ["Kiev", "trams"]


def test_pages_follow_each_other(run: Run, archive: str) -> None:
    ids: list[str] = []
    after: list[str] = []
    for _ in range(3):
        page = json.loads(run("search", archive, "tide", "--sort", "oldest", "-n", "5", "--json", *after)[1])
        ids += [hit["id"] for hit in page["hits"]]
        after = ["--after", page["next"]]
    assert ids == [f"tide-{number}" for number in range(1, 13)]
    assert page["next"] is None
    assert "\nmore: --after " in run("search", archive, "tide")[1]


def test_what_was_not_understood_is_on_standard_error(run: Run, archive: str) -> None:
    code, out, err = run("search", archive, "titel:kiev")
    assert code == 1
    assert out.startswith("no hits (")
    assert "  titel:kiev\n  ^^^^^^\n" in err
    assert "did you mean title?" in err
    assert "searched: titel kiev\n" in err


def test_a_query_is_explained_in_the_zone_that_is_named(run: Run, archive: str) -> None:
    code, out, err = run(
        "search", archive, "--explain-query", "--zone", "Europe/Berlin", "(storm OR tide) -title:fog published:2024-04"
    )
    assert (code, err) == (0, "")
    assert "published:[2024-04-01T00:00+02:00 TO 2024-05-01T00:00+02:00}" in out
    assert "at least 1 of:" in out
    assert "title:fog" in out
    assert "road: " in out
    assert "no time zone 'Mars'" in run("count", archive, "--zone", "Mars")[2]


def test_facets_are_printed_after_the_hits(run: Run, archive: str) -> None:
    out = run("search", archive, "-n", "1", "--facet", "section")[1]
    assert out.index("section\n       12  Weather\n        2  World News\n") > out.index("  1  ")


def test_count_prints_a_number(run: Run, archive: str) -> None:
    assert run("count", archive, "tide", "--where", "source=Wire") == (0, "4\n", "")
    code, out, err = run("count", archive, "zzzz")
    assert (code, out) == (1, "0\n")
    assert "no article has the word 'zzzz'" in err
    assert run("count", archive)[1] == f"{len(ARTICLES)}\n"


# mistakes


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["search", "ARCHIVE", "kiev", "--limt", "3"], "unrecognized arguments: --limt; see newsindex"),
        (["search", "ARCHIVE", "-n", "0"], "not a number from 1 on: '0'; see newsindex search --help"),
        (["search", "ARCHIVE", "--sort", "upwards"], "invalid choice: 'upwards'"),
        (["search", "ARCHIVE", "--where", "sourze=Wire"], "where: no field 'sourze'; did you mean 'source'?"),
        (["search", "ARCHIVE", "--where", "source"], "not a filter: 'source'; write FIELD=VALUE"),
        (["search", "ARCHIVE", "--where", "published=soon"], "where: 'published': not a date: 'soon'"),
        (["search", "ARCHIVE", "--where", "published=2024..", "--where", "published=2023"], "a range stands alone"),
        (["search", "ARCHIVE", "--facet", "title"], "'title' is no keyword field"),
        (["search", "ARCHIVE", "--after", "nonsense"], "cursor"),
        (["search", "ARCHIVE", "x" * 100_000], "query too complex: the number of characters is 100,000"),
        (["search", "ARCHIVE", "(" * 1000], "query too complex: the nesting of parentheses is 1,000"),
        (["search", "nowhere\x1b[2J\u202e", "kiev"], "nowhere[2J: no such folder; newsindex add makes"),
        (["stats", "."], "newsindex add makes one in an empty folder"),
        (["delete", "ARCHIVE"], "delete: give ids, or a --query"),
        (["delete", "ARCHIVE", "kiev", "--query", "trams"], "delete: give ids, or a --query"),
        (["delete", "ARCHIVE", "--query", " "], "an empty --query is every article"),
        (["delete", "ARCHIVE", "--query", "titel:trams"], "nothing was deleted"),
        (["add", "ARCHIVE"], "the following arguments are required: FILE"),
        (["add", "ARCHIVE", "--language", "klingon", "-"], "klingon"),
        (["export", "ARCHIVE", "--output", "no/such/folder/file"], "no/such/folder/file: No such file or directory"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        ([], "the following arguments are required: COMMAND; see newsindex --help"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(
    run: Run, archive: str, arguments: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*(archive if argument == "ARCHIVE" else argument for argument in arguments))
    assert (code, out) == (2, "")
    assert err.startswith("newsindex: ")
    assert expected in err
    assert err.count("\n") == 1
    with newsindex.open(archive) as index:
        assert index.count() == len(ARTICLES)


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"], ["add", "-h"], ["delete", "--help"]])
def test_help_has_examples(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    assert "example" in capsys.readouterr().out


def test_help_and_version_load_nothing_heavy() -> None:
    program = (
        "import sys\nfrom newsindex.cli import main\n"
        "try:\n    main(['--version'])\nfinally:\n    print([m for m in sys.modules if m.split('.')[0] in "
        "('whoosh', 'rich', 'prompt_toolkit', 'feedparser')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"newsindex {newsindex.__version__}\n[]\n"


# show, stats


def test_show_prints_the_article(run: Run, archive: str) -> None:
    code, out, _ = run("show", archive, "-dash")
    assert code == 0
    assert out.startswith("Ministers meet in Orlan for a peace conference\n  id: -dash\n")
    assert "  published: 2024-04-09 08:30 UTC\n" in out
    assert "  authors: Ines Quill, Tom Aldersey\n" in out
    assert out.endswith("would end.\n\nKiev was not mentioned.\n")


def test_a_hostile_article_is_shown_tamed_and_kept_whole(run: Run, archive: str) -> None:
    assert "[31mpaints[0m [red]bridge[/red] :smile:" in run("search", archive, "saboteur")[1]
    out = run("show", archive, HOSTILE["id"])[1]
    assert "]0;ownedstruck at night.\nA 31mline of it rang.\n" in out
    shown = json.loads(run("show", archive, HOSTILE["id"], "--json")[1])
    assert {key: shown[key] for key in ("id", "title", "body", "source", "authors")} == {
        key: HOSTILE[key] for key in ("id", "title", "body", "source", "authors")
    }
    assert "Night[1m Desk" in run("search", archive, "--facet", "source")[1]


def test_an_article_that_is_not_there_is_code_1(run: Run, archive: str) -> None:
    code, out, err = run("show", archive, "nobody\x1b[2J")
    assert (code, out) == (1, "")
    assert "no article 'nobody[2J'" in err


def test_stats_tell_what_the_archive_holds(run: Run, archive: str) -> None:
    code, out, _ = run("stats", archive)
    assert code == 0
    assert f"articles       {len(ARTICLES)}\n" in out
    assert "newest         2024-05-01 10:00 UTC\n" in out
    data = json.loads(run("stats", archive, "--json")[1])
    assert data["articles"] == len(ARTICLES)
    assert data["oldest"] == "2024-03-01T08:30:00+00:00"
    assert data["fields"]["source"] == "Keyword"


# add, delete, export


def test_add_reports_and_returns_1_when_records_were_rejected(run: Run, tmp_path: Path) -> None:
    file = write_jsonl(
        tmp_path / "news.jsonl", [*ARTICLES[:3], {"title": "Odd", "mood": "glum", "published": "2024-05-01"}]
    )
    with file.open("a") as lines:
        lines.write('{"title": "broken\n{"section": "no text"}\n')
    code, out, err = run("add", str(tmp_path / "archive"), str(file))
    assert (code, err) == (1, "")
    assert out.startswith("4 added, 0 updated, 0 unchanged, 2 rejected in ")
    assert f"  {file}:5: " in out
    assert f"  {file}:6: " in out
    assert "1 date named no zone: taken as UTC\n" in out
    assert "keys kept but not searchable: mood (1)\n" in out

    code, out, _ = run("add", str(tmp_path / "archive"), str(file), "--json")
    report = json.loads(out)
    assert code == 1
    assert report["unchanged"] == 4
    assert [(rejected["file"], rejected["line"]) for rejected in report["rejected"]] == [(str(file), 5), (str(file), 6)]


def test_add_names_the_first_rejections_and_counts_the_rest(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(json.dumps(ARTICLES[0]) + "\n" + '{"section": "no text"}\n' * 25)
    code, out, _ = run("add", str(tmp_path / "archive"), str(file))
    assert code == 1
    assert out.count(f"  {file}:") == 20
    assert "  and 5 more rejected\n" in out


def test_a_long_word_is_said_to_be_found_by_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(Screen(sys.stdout), AddReport(added=1, long_terms=2), 0.1)
    assert "2 words over 255 bytes: cut to that length, and found by it\n" in capsys.readouterr().out


def test_strict_stops_at_the_first_record_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "news.jsonl", [ARTICLES[0], {"section": "no text"}])
    code, _, err = run("add", str(tmp_path / "archive"), str(file), "--strict")
    assert code == 2
    assert f"{file}:2: no text" in err


def test_add_in_another_language(run: Run, tmp_path: Path) -> None:
    archive = str(tmp_path / "archiv")
    file = write_jsonl(tmp_path / "nachrichten.jsonl", [{"id": "a", "title": "Die Häuser der Stadt"}])
    assert run("add", archive, "--language", "de", str(file))[0] == 0
    assert run("count", archive, "Haus")[1] == "1\n"
    code, _, err = run("add", archive, "--language", "english", str(file))
    assert code == 2
    assert "german" in err


def test_delete_by_id_and_by_query(run: Run, tmp_path: Path) -> None:
    archive = build(tmp_path / "news")
    assert run("delete", archive, "-dash", "kiev", "nobody") == (0, "deleted 2 articles\n", "")
    assert run("delete", archive, "nobody") == (1, "deleted 0 articles\n", "")
    assert run("delete", archive, "--query", "-tide", "--where", "section=Sport")[0] == 1
    assert run("delete", archive, "--query", "tide", "--where", "source=Wire")[1] == "deleted 4 articles\n"
    assert run("delete", archive, "--where", "published=2024-03")[1] == "deleted 8 articles\n"
    assert run("delete", archive, "--query", "*")[1] == "deleted 1 article\n"
    assert run("count", archive) == (1, "0\n", "")


def test_what_is_exported_is_the_same_archive_when_added(
    run: Run, archive: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, exported, _ = run("export", archive)
    assert code == 0
    assert len(exported.splitlines()) == len(ARTICLES)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(exported.encode())))
    copy = str(tmp_path / "copy")
    assert run("add", copy, "-")[1].startswith(f"{len(ARTICLES)} added, ")
    file = tmp_path / "copy.jsonl"
    assert run("export", copy, "--output", str(file)) == (0, "", "")
    assert file.read_text(encoding="utf-8") == exported
    with newsindex.open(archive) as first, newsindex.open(copy) as second:
        assert list(first.articles()) == list(second.articles())
    assert run("add", archive, str(file))[1].startswith(f"0 added, 0 updated, {len(ARTICLES)} unchanged, 0 rejected")


# processes


def test_a_reader_that_goes_away_is_no_error(archive: str) -> None:
    """As in `newsindex export archive | head -1`, with far more output than a pipe holds."""
    export = subprocess.Popen(
        [sys.executable, "-c", "from newsindex.cli import main; import sys; sys.exit(max(main(['export', sys.argv[1]])"
         " for _ in range(200)))", archive],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert export.stdout is not None
    assert export.stderr is not None
    assert export.stdout.readline().startswith(b'{"id":')
    export.stdout.close()
    errors = export.stderr.read()
    export.stderr.close()
    assert export.wait(60) == 141
    assert errors == b""


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [
        (["search", "conference"], ">&-", 0),
        (["search", "zzzz"], "2>&-", 1),
        (["search", "conference"], "<&- >&- 2>&-", 0),
        (["nonsense"], "2>&-", 2),
        (["add", "-"], "<&-", 1),
        (["repl"], "<&-", 0),
        (["repl"], "<&- >&-", 0),
    ],
)
def test_closed_standard_streams_are_no_crash(archive: str, words: list[str], closed: str, code: int) -> None:
    command = [sys.executable, "-m", "newsindex", words[0], archive, *words[1:]]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr + done.stdout


def test_an_interrupted_add_leaves_the_archive_as_it_was(tmp_path: Path) -> None:
    archive = build(tmp_path / "news")
    adding = subprocess.Popen(
        [sys.executable, "-m", "newsindex", "add", archive, "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a test run may ignore it
    )  # fmt: skip
    assert adding.stdin is not None
    assert adding.stderr is not None
    line = json.dumps({"title": "Half a delivery", "body": "Not all of it came."}).encode() + b"\n"
    adding.stdin.write(line * 5000)  # more than the pipe holds: when this returns, reading has begun
    adding.stdin.flush()
    adding.send_signal(signal.SIGINT)
    assert adding.wait(60) == 130
    assert adding.stderr.read() == b""
    adding.stdin.close()
    adding.stderr.close()
    with newsindex.open(archive) as index:
        assert index.count() == len(ARTICLES)
        assert index.add([ARTICLES[0]]).unchanged == 1  # the lock is free


def test_progress_is_shown_to_a_person_only(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "news.jsonl", ARTICLES)
    child = pexpect.spawn(
        sys.executable, ["-m", "newsindex", "add", str(tmp_path / "archive"), str(file)],
        env=os.environ | {"TERM": "xterm-256color"}, encoding="utf-8", timeout=30,
    )  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    shown = ESCAPE_CODE.sub("", child.before)
    assert child.exitstatus == 0
    assert f"{len(ARTICLES)} records" in shown
    assert f"{len(ARTICLES)} added, " in shown
    done = process("add", str(tmp_path / "archive"), str(file))
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_the_demo_searches_the_sample_articles(tmp_path: Path) -> None:
    done = process("demo", "--archive", str(tmp_path / "demo"), stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert done.stderr == ""
    assert " rejected" in done.stdout
    assert "hits in" in done.stdout
    assert "did you mean" in done.stdout
    assert not FORBIDDEN.search(done.stdout)
    with newsindex.open(tmp_path / "demo") as index:
        assert index.count() > 50
