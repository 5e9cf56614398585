"""Every error that newsindex raises on purpose.

    NewsIndexError
    ├── SchemaError        a model that cannot be a schema, or that does not fit the index
    ├── SourceError        a file or record that cannot be read: file, line, reason
    ├── QueryError         misuse of a search argument
    │   └── QueryTooComplex    a query over a limit: limit, value, maximum
    ├── IndexNotFound      no index at the location
    ├── IndexLocked        another writer holds the lock: pid, host, since
    ├── IndexClosed        use after close() or in a forked child
    ├── FormatError        damage, or a format that this version does not read: file, reason
    ├── StorageError       the file system refused: path, reason
    ├── CommitUnknown      the last step of a commit failed: it may or may not be kept: generation
    └── MissingExtra       an optional dependency is not installed: extra

Messages are one line: what, where, the way out.
"""

from __future__ import annotations

__all__ = [
    "CommitUnknown",
    "FormatError",
    "IndexClosed",
    "IndexLocked",
    "IndexNotFound",
    "MissingExtra",
    "NewsIndexError",
    "QueryError",
    "QueryTooComplex",
    "SchemaError",
    "SourceError",
    "StorageError",
]


class NewsIndexError(Exception):
    """Base of all errors of newsindex."""


class SchemaError(NewsIndexError):
    """A model that cannot be a schema, or that does not fit the index; `field` names the culprit when there is one."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


class SourceError(NewsIndexError):
    """A file or a record that cannot be read.

    `file` is the path as given ("-" for standard input, None for a record given from Python), `line` counts from 1
    (None when the format has no lines).
    """

    def __init__(self, reason: str, file: str | None = None, line: int | None = None) -> None:
        place = ":".join(str(part) for part in (file, line) if part is not None)
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason = reason
        self.file = file
        self.line = line


class QueryError(NewsIndexError, ValueError):
    """Misuse of a search argument. Query *text* is answered with diagnostics instead."""


class QueryTooComplex(QueryError):
    """A query over a limit; `limit` names it, `value` is what the query has and `maximum` what is allowed."""

    def __init__(self, limit: str, value: int, maximum: int) -> None:
        super().__init__(f"query too complex: {limit} is {value:,}, the limit is {maximum:,}; search in smaller parts")
        self.limit = limit
        self.value = value
        self.maximum = maximum


class IndexNotFound(NewsIndexError, FileNotFoundError):
    """No index at the location."""


class IndexLocked(NewsIndexError):
    """Another writer holds the lock; `pid`, `host` and `since` (ISO 8601, UTC) tell whose, when they are known."""

    def __init__(self, path: str, timeout: float, pid: int | None, host: str | None, since: str | None) -> None:
        holder = f"process {pid} on {host} since {since}" if pid is not None else "an unknown process"
        super().__init__(
            f"{path}: held for writing by {holder}; waited {timeout:g} s; try again when it has finished, "
            "or give a longer timeout"
        )
        self.pid = pid
        self.host = host
        self.since = since


class IndexClosed(NewsIndexError):
    """The index object was closed, or belongs to the parent of this process."""


class FormatError(NewsIndexError):
    """A file of the index is damaged, or in a format that this version does not read."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class StorageError(NewsIndexError, OSError):
    """The file system refused: no permission, read-only, full. `file` names the path."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class CommitUnknown(NewsIndexError):
    """The commit may or may not have happened: the last step failed. Open the index again and look.

    `generation` is that of the commit. Articles are replaced by their ids, so that adding them again does no harm.
    """

    def __init__(self, path: str, generation: int, reason: str) -> None:
        super().__init__(
            f"{path}: commit {generation} may or may not be kept ({reason}); open the index again and look"
        )
        self.generation = generation


class MissingExtra(NewsIndexError, ImportError):
    """An optional dependency is not installed, or cannot be imported; `extra` names the extra that brings it."""

    def __init__(self, extra: str, purpose: str, cause: ImportError) -> None:
        why = str(cause).splitlines()[0]
        super().__init__(f'{purpose} needs the extra "{extra}" ({why}): pip install "newsindex[{extra}]"')
        self.extra = extra
