"""A consistent copy of one commit, taken while a writer may be at work."""

from __future__ import annotations

from newsindex.errors import StorageError
from newsindex.store.envelope import header, write_enveloped
from newsindex.store.manifest import META, toc_name
from newsindex.store.snapshot import StoreSnapshot
from newsindex.store.storage import Storage, storage_refusals

__all__ = ["copy_snapshot"]


def copy_snapshot(snapshot: StoreSnapshot, target: Storage) -> None:
    """Write the files of an open commit into an empty folder; durable when it returns.

    Each file is checked before it is copied, and the mark of an index comes last: a copy that was cut short is none.

    Raises:
        FormatError: a file is damaged.
        StorageError: the folder is not empty, or the file system refuses; what was copied is left there.
    """
    manifest = snapshot.manifest
    with storage_refusals(target.path(), "the copy is not finished"):
        target.make_folder()
        if target.list():
            raise StorageError(target.path(), "holds files already; choose an empty folder")
        snapshot.verify()
        for segment in snapshot.segments:
            files = [("segment", segment.entry.file, segment.body)]
            if segment.entry.deletions is not None:
                files.append(("deletion", segment.entry.deletions, segment.deletions or memoryview(b"")))
            for kind, file, body in files:
                _, checksum = write_enveloped(target, file.name, header(kind, manifest.index_uuid, file.name), [body])
                if checksum != file.checksum:
                    raise StorageError(target.path(file.name), "changed while it was copied; try again")
        toc = toc_name(manifest.generation)
        write_enveloped(target, toc, header("manifest", manifest.index_uuid, toc), [manifest.to_json()])
        target.sync_folder()
        write_enveloped(target, META, header("meta", manifest.index_uuid, META), [b"newsindex\n"])
        target.sync_folder()
