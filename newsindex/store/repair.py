"""Back to the commit before the newest, when that one is damaged: an explicit act, for it gives articles up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from newsindex.errors import FormatError, StorageError
from newsindex.store.envelope import header, write_enveloped
from newsindex.store.manifest import generation_of, pending_name, toc_name
from newsindex.store.snapshot import open_previous, open_snapshot, read_meta
from newsindex.store.storage import Storage, storage_refusals

__all__ = ["Repair", "return_to_previous"]


@dataclass(frozen=True)
class Repair:
    """What was done: the damage, and the generation of the commit that holds what the one `returned_to` held."""

    damage: str
    returned_to: int
    generation: int
    articles: int


def return_to_previous(storage: Storage, timeout: float = 10.0) -> Repair:
    """Commit again what the commit before the newest held; that one's articles, deletions and changes are given up.

    History only goes forward: the damaged commit's number is not used again. Its files are left for the next commit to
    collect.

    Raises:
        IndexNotFound: there is no index.
        IndexLocked: another writer holds the lock.
        StorageError: the newest commit is sound, so there is nothing to give up; or the file system refuses.
        FormatError: the commit before is damaged too, or gone; it names the file.
    """
    index_uuid = read_meta(storage)
    lock = storage.lock()
    lock.acquire(timeout)
    try:
        try:
            newest = open_snapshot(storage, index_uuid)
            newest.verify()
        except FormatError as error:
            damage = str(error)
        else:
            raise StorageError(storage.path(), f"the newest commit, {newest.generation}, is sound; nothing was changed")
        previous = open_previous(storage, index_uuid)
        previous.verify()
        with storage_refusals(storage.path(), "nothing was changed"):
            used = [generation_of(name, kind) or 0 for name in storage.list() for kind in ("toc", "previous")]
            # One more than the greatest is the lost newest's where its manifest is missing.
            generation = max(used) + 2
            manifest = replace(previous.manifest, generation=generation)
            pending, toc = pending_name(generation), toc_name(generation)
            write_enveloped(storage, pending, header("manifest", index_uuid, toc), [manifest.to_json()])
            storage.rename(pending, toc)
            storage.sync_folder()
    finally:
        lock.release()
    articles = sum(
        segment.entry.file.doc_count - (segment.entry.deletions.doc_count if segment.entry.deletions else 0)
        for segment in previous.segments
    )
    return Repair(damage, previous.generation, generation, articles)
