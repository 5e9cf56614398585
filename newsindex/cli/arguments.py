"""What may be typed after `newsindex`, and its help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from newsindex import __version__

__all__ = ["WrongArguments", "parse"]

# Stands before a query word that begins with "-", so that argparse does not take it for an option; no argument of a
# process can hold this character.
_WORD_MARK = "\0"

_DESCRIPTION = "Full-text search in archives of news articles."
_EPILOG = """\
examples:
  newsindex demo                                     sample articles, some searches, the prompt
  newsindex add archive articles.jsonl.gz pages/     make or fill an archive
  newsindex search archive 'lavrov "peace conference" -sports'
  newsindex repl archive                             the search prompt

`newsindex COMMAND --help` tells more of each."""

_ADD = """\
Add files to an archive, which is made when there is none. Folders are walked; - is standard input. Read are JSONL
(.gz too), CSV, RSS and Atom, HTML, and plain text pages. Adding an article again replaces it."""
_ADD_EPILOG = """\
examples:
  newsindex add archive articles.jsonl.gz feeds/ page.html
  zcat articles.jsonl.gz | newsindex add archive -

exit code: 0 all taken, 1 some records rejected, 2 error"""

_SEARCH = """\
Print the articles that match a query, best first. Without a query: every article."""
_SEARCH_EPILOG = """\
queries:
  lavrov "peace conference" -sports     both needed, without the third
  (xi OR putin) visit*                  either; words that begin so
  title:kiev source:CNN                 in one field
  published:2024-03..2024-04            a period; also published:>=2024-03-15, published:"last week", when:7d
  xi w/5 putin, pre/5, /s, /p           near each other, in this order, in one sentence, in one paragraph
  wom?n lavrof~ =visits caps(US)        wild card; nearly so; just this form; with capitals
  atleast3(visit) lead:visit wc>500     so often; in the first paragraph; longer than that
  lavrov^2 beijing                      the first counts double

examples:
  newsindex search archive 'lavrov "peace conference"' --sort newest -n 20
  newsindex search archive -kiev --where source=CNN --where source=Xinhua
  newsindex search archive floods --where published=2024-03-01..2024-04 --facet source

exit code: 0 hits, 1 none, 2 error"""

_COUNT_EPILOG = """\
example:
  newsindex count archive lavrov --where published=2024

exit code: 0 some, 1 none, 2 error"""

_DELETE_EPILOG = """\
examples:
  newsindex delete archive mw-2024-0305-017
  newsindex delete archive --query 'section:sports' --where published=..2019

A query that is not understood to the letter deletes nothing.
exit code: 0 deleted, 1 nothing to delete, 2 error"""

_EXPORT_EPILOG = """\
examples:
  newsindex export archive --output articles.jsonl
  newsindex export archive | newsindex add copy -"""

_REPL_EPILOG = """\
examples:
  newsindex repl archive
  printf 'lavrov\\n' | newsindex repl archive        plain lines in, plain lines out"""


_CHECK_EPILOG = """\
exit code: 0 sound, 1 something is wrong (each file and byte is named), 2 error"""
_REBUILD_EPILOG = """\
of a damaged archive every article is kept that can still be read; the others are named

exit code: 0 all kept, 1 some lost, 2 error"""

_REPAIR_EPILOG = """\
for an archive whose newest commit is damaged while the one before is whole; try `rebuild` first, which gives less up.
What the newest commit added, changed or deleted is given up: add it again."""


class WrongArguments(Exception):
    """The arguments are not those of any command; the message says which and where help is."""


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with one line, and knows which options take a value."""

    def __init__(self, **options: Any) -> None:
        options |= {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        raise WrongArguments(f"{message.replace(_WORD_MARK, '')}; see {self.prog} --help")

    def sorted_out(self, words: Sequence[str]) -> list[str]:
        """Return the words with options first, and with words such as `-kiev` marked as no options.

        argparse by itself takes `-kiev` for an option, and no second run of positional words after an option.
        """
        takes_value = {name: action.nargs != 0 for action in self._actions for name in action.option_strings}
        options: list[str] = []
        others: list[str] = []
        left = list(words)
        while left:
            word = left.pop(0)
            if word == "--":
                others += left
                break
            if word in takes_value:
                if not takes_value[word] or not left:
                    options.append(word)
                elif word.startswith("--"):
                    options.append(f"{word}={left.pop(0)}")
                else:
                    options += [word, left.pop(0)]
            elif word.startswith("--") or (word[:2] in takes_value and word[2:].isdigit()):
                options.append(word)
            else:
                others.append(word)
        return options + [_WORD_MARK + word if word.startswith("-") else word for word in others]


def _word(text: str) -> str:
    return text.removeprefix(_WORD_MARK)


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"not a number from 1 on: {text!r}")
    return number


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="newsindex", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"newsindex {__version__}")
    added = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands: dict[str, _Parser] = {}

    def command(name: str, summary: str, description: str | None = None, epilog: str | None = None) -> _Parser:
        made: _Parser = added.add_parser(name, help=summary, description=description or summary, epilog=epilog)
        commands[name] = made
        if name != "demo":
            made.add_argument("archive", metavar="ARCHIVE", type=_word, help="the folder of the archive")
            made.add_argument("--allow-network-fs", action="store_true", help="also on NFS, SMB …: commits may be lost")
        return made

    add = command("add", "add files to an archive", _ADD, _ADD_EPILOG)
    add.add_argument("files", metavar="FILE", nargs="+", type=_word, help="a file, a folder, or - for standard input")
    add.add_argument("--language", help="of the stemmer, for a new archive: english, german, de …, or none")
    add.add_argument("--strict", action="store_true", help="stop at the first record that cannot be read")
    add.add_argument("--json", action="store_true", help="print the report as JSON")

    search = command("search", "print the articles that match", _SEARCH, _SEARCH_EPILOG)
    _add_query(search)
    search.add_argument("-n", "--limit", type=_positive, default=10, metavar="NUMBER", help="hits to print (10)")
    search.add_argument("--sort", choices=("relevance", "newest", "oldest"), default="relevance", help="order of hits")
    search.add_argument(
        "--facet", action="append", default=[], metavar="FIELD", help="count the values of a field; may be repeated"
    )
    search.add_argument("--after", metavar="CURSOR", help="go on after a page: the cursor it ended with")
    form = search.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print everything as one JSON object")
    form.add_argument("--jsonl", action="store_true", help="print each hit as a line of JSON")
    form.add_argument("--explain-query", action="store_true", help="print what the query is taken for, and no hits")

    _add_query(command("count", "print how many articles match", epilog=_COUNT_EPILOG))

    show = command("show", "print one article")
    show.add_argument("id", metavar="ID", type=_word, help="its id, as `search` prints it")
    show.add_argument("--json", action="store_true", help="print it as JSON, with every key")

    stats = command("stats", "print what an archive holds")
    stats.add_argument("--json", action="store_true", help="print it as JSON")

    delete = command("delete", "delete articles, by id or by query", epilog=_DELETE_EPILOG)
    delete.add_argument("ids", metavar="ID", nargs="*", type=_word, help="ids of articles")
    delete.add_argument("--query", help="delete what this query finds")
    _add_where(delete)

    export = command("export", "write every article as a line of JSON", epilog=_EXPORT_EPILOG)
    export.add_argument("--output", metavar="FILE", help="the file to write; standard output when not given")

    command("check", "decode everything and compare it with the stored articles", epilog=_CHECK_EPILOG)
    copy = command("backup", "copy the newest commit, also while a writer is at work")
    copy.add_argument("destination", metavar="DEST", type=_word, help="an empty or new folder")
    command("merge", "make one segment of all: large archives are searched faster")
    command("rebuild", "make an archive anew from the articles stored in it", epilog=_REBUILD_EPILOG)
    repair = command("repair", "give a damaged newest commit up", epilog=_REPAIR_EPILOG)
    repair.add_argument(
        "--to-previous", action="store_true", required=True, help="go back to the commit before; there is no other way"
    )

    prompt = command("repl", "search at a prompt", epilog=_REPL_EPILOG)
    _add_variants(prompt)
    _add_zone(prompt)
    demo = command("demo", "search the sample articles that newsindex ships")
    demo.add_argument("--archive", metavar="DIR", help="keep the archive in this folder")
    return parser, commands


def _add_query(parser: _Parser) -> None:
    parser.add_argument("query", metavar="QUERY", nargs="*", type=_word, help="the query; -word excludes a word")
    _add_where(parser)
    _add_variants(parser)
    _add_zone(parser)


def _add_variants(parser: _Parser) -> None:
    parser.add_argument("--variants", metavar="FILE", type=_word, help="a TOML file of words that name the same")
    parser.add_argument(
        "--no-variants", dest="variants", action="store_false", default=None, help="kiev does not find kyiv"
    )


def _add_zone(parser: _Parser) -> None:
    parser.add_argument("--zone", type=_word, help="where dates in a query are, as Europe/London; here if not given")


def _add_where(parser: _Parser) -> None:
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="only articles with this value; repeated for one field: any of them; FROM..TO on dates and numbers",
    )


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return what was typed, `command` among it.

    Raises:
        WrongArguments: no such command or option.
        SystemExit: help or the version was asked for, and printed.
    """
    parser, commands = _parsers()
    if words and words[0] in commands:
        words = [words[0], *commands[words[0]].sorted_out(words[1:])]
    return parser.parse_args(words)
