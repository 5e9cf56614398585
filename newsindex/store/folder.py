"""The folder of an index: `newsindex.json` tells that it is one, of which format, with which schema."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from newsindex.errors import FormatError, IndexNotFound, StorageError
from newsindex.schema import Schema

__all__ = ["FORMAT_VERSION", "create_folder", "read_schema", "size_of", "storage_errors", "sync_folder"]

FORMAT_VERSION = 1
_META = "newsindex.json"


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Turn what the file system refuses into a StorageError that names the place."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        where = error.filename or place
        raise StorageError(str(where), f"{error.strerror or error}; nothing was changed") from error


def create_folder(folder: Path, schema: Schema) -> bool:
    """Make the folder of a new index; return False when there is an index already.

    Raises:
        StorageError: it cannot be made, or holds other files.
    """
    meta = folder / _META
    if meta.exists():
        return False
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        others = [path.name for path in folder.iterdir() if not path.name.startswith((".", "write."))]
        if others and not meta.exists():
            raise StorageError(str(folder), f"holds other files ({others[0]}, …); choose an empty folder")
        data = {
            "format": "newsindex",
            "format_version": FORMAT_VERSION,
            "uuid": uuid.uuid4().hex,
            "schema": schema.to_json(),
        }
        pending = folder / f".{_META}-{uuid.uuid4().hex}"
        with pending.open("x", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        pending.rename(meta)
        sync_folder(folder)
    return True


def read_schema(folder: Path, model: type[BaseModel] | None) -> Schema:
    """Return the schema that is saved in the folder, on the given model when there is one.

    Raises:
        IndexNotFound: there is no index.
        FormatError: the description is damaged, or of another version.
        SchemaError: the model does not fit.
    """
    meta = folder / _META
    try:
        with storage_errors(meta):
            text = meta.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(str(meta), "damaged: not UTF-8; restore the folder from a copy") from error
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
            raise _not_found(folder) from None
        raise
    try:
        data: Any = json.loads(text)
        version = data["format_version"]
        known = data["format"] == "newsindex" and isinstance(version, int)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(
            str(meta), "damaged: not the description of an index; restore the folder from a copy"
        ) from error
    if not known:
        raise FormatError(str(meta), "damaged: not the description of an index; restore the folder from a copy")
    if version != FORMAT_VERSION:
        advice = "use a newer newsindex" if version > FORMAT_VERSION else "export with the newsindex that made it"
        raise FormatError(str(meta), f"format version {version}, this newsindex reads {FORMAT_VERSION}; {advice}")
    return Schema.from_json(data.get("schema"), str(meta), model)


def sync_folder(folder: Path) -> None:
    """Make all files of a folder, and their names, durable."""
    for path in (*(path for path in folder.iterdir() if path.is_file()), folder):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # a temporary file that its owner has just removed
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def size_of(folder: Path) -> int:
    """Return the bytes that the files of the folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _not_found(folder: Path) -> IndexNotFound:
    if not folder.exists():
        return IndexNotFound(f"{folder}: no such folder; create=True makes an index there")
    if not folder.is_dir():
        return IndexNotFound(f"{folder}: a file, not an index folder")
    return IndexNotFound(
        f"{folder}: a folder, but no index in it (no {_META}); create=True makes one in an empty folder"
    )
