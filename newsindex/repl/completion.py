"""What the prompt remembers and completes: history, field names, keyword values, commands."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from newsindex.display import printable
from newsindex.index import NewsIndex
from newsindex.query.leaves import fields_by_name
from newsindex.schema import Keyword, Stored

__all__ = ["ArchiveCompleter", "history_file", "open_history"]

_NAME = re.compile(r"(?:^|[\s(+-])(\w+)\Z")
_VALUE = re.compile(r'(?:^|[\s(+-])(\w+)(?::|=)("[^"]*|[^\s"()]*)\Z')
_NEEDS_QUOTES = re.compile(r"[^\w.-]|\A-")


def history_file() -> Path:
    """Return where the lines typed are kept: under $XDG_STATE_HOME, else ~/.local/state."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if Path(state).is_absolute() else Path("~/.local/state").expanduser()) / "newsindex" / "history"


class _KeptHistory(FileHistory):
    """A history that outlives its file: a full disk costs the keeping of lines, not the prompt."""

    def __init__(self, file: Path, tell: Callable[[str], None]) -> None:
        super().__init__(file)
        self._tell = tell
        self._kept = True

    def store_string(self, string: str) -> None:
        if not self._kept:
            return
        try:
            super().store_string(string)
        except OSError as error:
            self._kept = False
            self._tell(f"history is kept no longer: {error}")


def open_history(tell: Callable[[str], None]) -> History:
    """Return the history; where no file can be kept, one in memory, after telling why."""
    try:
        file = history_file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with file.open("rb+"):
            return _KeptHistory(file, tell)
    except (OSError, RuntimeError) as error:
        tell(f"history is not kept: {error}")
        return InMemoryHistory()


class ArchiveCompleter(Completer):
    """Completes a query with the names of fields and the values of keyword fields, and the commands."""

    def __init__(self, index: NewsIndex, commands: Iterable[str], sorts: Iterable[str]) -> None:
        """Complete for an index. `commands` may carry an argument's name after a space."""
        self.index = index
        self.commands = [command.split()[0] for command in commands]
        self.sorts = tuple(sorts)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Yield what may stand at the cursor."""
        before = document.text_before_cursor
        command, space, argument = before.partition(" ")
        if command.startswith(":"):
            if not space:
                yield from _beginning(command, self.commands)
            elif command == ":sort":
                yield from _beginning(argument, self.sorts)
            elif command == ":facets":
                yield from _beginning(argument.split(" ")[-1], self.index.schema.of_kind(Keyword))
            elif command == ":where":
                yield from self._query(argument, "=")
            return
        yield from self._query(before, ":")

    def _query(self, before: str, sign: str) -> Iterator[Completion]:
        fields = self.index.schema.fields
        value = _VALUE.search(before)
        if value and value[1] in fields and isinstance(fields[value[1]].kind, Keyword):
            name, typed = value.groups()
            for known in self.index.values(name, typed.lstrip('"')):
                # A value that cannot be typed cannot be completed either.
                if printable(known) == known and '"' not in known and "\n" not in known:
                    shown = f'"{known}"' if typed.startswith('"') or _NEEDS_QUOTES.search(known) else known
                    yield Completion(shown, -len(typed))
            return
        name_typed = _NAME.search(before)
        if name_typed:
            named = fields_by_name(self.index.schema) if sign == ":" else fields
            names = [name + sign for name, field in named.items() if not isinstance(field.kind, Stored)]
            yield from _beginning(name_typed[1], names)


def _beginning(typed: str, known: Iterable[str]) -> Iterator[Completion]:
    for text in known:
        if text.startswith(typed.lower()):
            yield Completion(text, -len(typed))
