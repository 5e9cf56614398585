"""Damage and crafted files: every real change is detected and the file named; other versions are told from damage."""

from __future__ import annotations

import json
import os
import pickle
import random
import re
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xxhash

import newsindex.store.snapshot as snapshot_module
from newsindex.errors import FormatError, IndexNotFound
from newsindex.store.envelope import ENVELOPE_BYTES, FORMAT, HEADER_BYTES, checksum_of, footer, header
from newsindex.store.manifest import META, FileEntry, Manifest, SegmentEntry, parse_manifest, toc_name
from newsindex.store.storage import FolderStorage
from newsindex.store.store import Store
from tests.faults.figures import Figures
from tests.faults.storages import RecordingStorage
from tests.faults.workload import Workload, fixed_names, found_in

DAMAGES = 10_000 if os.environ.get("NEWSINDEX_FAULTS") == "full" else 3_000
UUID = "00112233445566778899aabbccddeeff"
WORKLOAD = Workload(0)
COMMITS = 10


@cache
def index_files() -> dict[str, bytes]:
    """Return an index with several segments and deletions; what is not of the newest commit is there too."""
    storage = RecordingStorage()
    with fixed_names(0):
        store = Store.create(storage, {"language": "english"})
        for number in range(1, COMMITS + 1):
            WORKLOAD.commit(store, number)
    return storage.contents()


def names_in_use() -> list[str]:
    snapshot = Store.open(RecordingStorage(index_files())).snapshot
    return [META, toc_name(snapshot.generation), *(file.name for file in snapshot.manifest.files())]


def flip_bit(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def change_byte(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def zero_page(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data)) // 512 * 512
    data[at : at + 512] = bytes(len(data[at : at + 512]))


def append(data: bytearray, chance: random.Random) -> None:
    data += chance.randbytes(chance.randrange(1, 200))


def insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = chance.randbytes(chance.randrange(1, 20))


CHANGES = (flip_bit, change_byte, truncate, zero_page, append, insert)


def damage(number: int, names: list[str]) -> tuple[str, dict[str, bytes], set[str]]:
    """Return what was done, the damaged index, and the names of the files that differ."""
    chance = random.Random(f"damage {number}")
    files = dict(index_files())
    name = names[number % len(names)]
    what = chance.randrange(len(CHANGES) + 2)
    if what < len(CHANGES):
        data = bytearray(files[name])
        CHANGES[what](data, chance)
        files[name] = bytes(data)
        return CHANGES[what].__name__, files, {name} if files[name] != index_files()[name] else set()
    if what == len(CHANGES):
        del files[name]
        return "delete", files, {name}
    other = chance.choice([one for one in files if one != name])
    files[name], files[other] = files[other], files[name]
    return "swap", files, {name, other}


def check_damage(number: int, names: list[str]) -> bool:
    what, files, changed = damage(number, names)
    where = f"damage {number}: {what} of {changed}"
    refusal: FormatError | None = None
    try:
        found = found_in(Store.open(RecordingStorage(files)).snapshot)
    except FormatError as error:
        refusal = error
    if refusal is None:
        assert not changed, f"{where}: not noticed"
        assert found == WORKLOAD.expected(COMMITS)
    else:
        assert Path(refusal.file).name in changed, f"{where}: {refusal}"
        assert "\n" not in str(refusal)
    return refusal is not None


def check_damages(count: int) -> int:
    names = names_in_use()
    assert {name[:3] for name in names} == {"new", "toc", "seg", "del"}
    return sum(check_damage(number, names) for number in range(count))


def test_every_damage_is_detected_and_names_the_file(figures: Figures) -> None:
    figures("T4a", "damage, commits of files", check_damages(DAMAGES), undetected=0, wrong=0, crashed=0)


def test_every_single_byte_is_covered() -> None:
    files = index_files()
    for name in names_in_use():
        for at in range(0, len(files[name]), 1 if len(files[name]) < 300 else 7):
            changed = bytearray(files[name])
            changed[at] ^= 0x10
            with pytest.raises(FormatError, match=re.escape(name)):
                Store.open(RecordingStorage(files | {name: bytes(changed)}))


@pytest.mark.parametrize(
    ("attribute", "mutant"),
    [
        ("verify_content", lambda *_, **__: None),
        ("_greatest", lambda names, kind: max((int(n[-20:]) for n in names if n.startswith("toc-")), default=0)
         if kind == "toc" else 0),
        ("_has_more_than_a_beginning", lambda _: False),
        ("open_content", lambda buffer, *_: snapshot_module.Content(
            buffer[HEADER_BYTES : max(len(buffer) - 24, HEADER_BYTES)],
            checksum_of(buffer[HEADER_BYTES : max(len(buffer) - 24, HEADER_BYTES)]),
            next(iter(re.findall('"index_uuid":"([0-9a-f]{32})"', str(index_files())))),
        )),
    ],
)  # fmt: skip
def test_each_mutant_of_the_checks_is_caught(attribute: str, mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_module, attribute, mutant)
    with pytest.raises((AssertionError, IndexNotFound)):
        check_damages(2_000)


def test_a_file_is_verified_once_in_a_process_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in index_files().items():
        (tmp_path / name).write_bytes(data)
    computed: list[str] = []
    real = snapshot_module.verify_content

    def count(content: Any, path: str, *, keep_pages: bool = True) -> None:
        computed.append(Path(path).name)
        real(content, path, keep_pages=keep_pages)

    segments = {name for name in names_in_use() if name.startswith(("seg-", "del-"))}
    monkeypatch.setattr(snapshot_module, "verify_content", count)
    Store.open(FolderStorage(tmp_path), verify=False)
    assert not segments & set(computed)
    Store.open(FolderStorage(tmp_path))
    assert segments <= set(computed)
    computed.clear()
    store = Store.open(FolderStorage(tmp_path))
    assert not segments & set(computed)
    store.snapshot.verify()
    assert segments <= set(computed)
    victim = tmp_path / sorted(segments)[-1]
    data = bytearray(victim.read_bytes())
    data[HEADER_BYTES + 3] ^= 1
    victim.write_bytes(data)
    os.utime(victim, ns=(1, 1))
    with pytest.raises(FormatError, match=f"{victim.name}: damaged"):
        Store.open(FolderStorage(tmp_path))
    with pytest.raises(FormatError, match=f"{victim.name}: damaged"):
        Store.open(FolderStorage(tmp_path), verify=False).snapshot.verify(victim.name)


def sealed(body: bytes, name: str, kind: str = "manifest", uuid: str = UUID) -> bytes:
    return header(kind, uuid, name) + body + footer(len(body), checksum_of(body))


def crafted(manifest: dict[str, Any] | bytes, **others: bytes) -> RecordingStorage:
    body = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return RecordingStorage({META: sealed(b"", META, "meta"), toc_name(1): sealed(body, toc_name(1)), **others})


def manifest_data(**changes: Any) -> dict[str, Any]:
    return {"index_uuid": UUID, "generation": 1, "schema": {}, "segments": [], "required_features": []} | changes


def segment_data(**changes: Any) -> dict[str, Any]:
    name = f"seg-{1:020d}-{'a' * 32}.nix"
    return {"file": {"name": name, "length": 200, "checksum": "0" * 16, "doc_count": 3} | changes, "deletions": None}


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
        pickle.dumps({"generation": 1}),
        manifest_data(generation=2),
        manifest_data(generation=1.0),
        manifest_data(index_uuid="f" * 32),
        manifest_data(schema=None),
        manifest_data(segments=[segment_data(name="../../etc/passwd")]),
        manifest_data(segments=[segment_data(name=f"seg-{1:020d}-{'a' * 32}.nix\n")]),
        manifest_data(segments=[segment_data(name="/etc/passwd")]),
        manifest_data(segments=[segment_data(name=META)]),
        manifest_data(segments=[segment_data(length=2**70)]),
        manifest_data(segments=[segment_data(length=-1)]),
        manifest_data(segments=[segment_data(doc_count="3")]),
        manifest_data(segments=[segment_data(checksum="g" * 16)]),
        manifest_data(segments=[segment_data(), segment_data()]),
        manifest_data(segments=[segment_data() | {"deletions": segment_data()["file"]}]),
    ],
)
def test_a_crafted_manifest_is_refused(manifest: dict[str, Any] | bytes, figures: Figures) -> None:
    assert Store.open(crafted(manifest_data())).snapshot.generation == 1
    with pytest.raises(FormatError, match=toc_name(1)):
        Store.open(crafted(manifest))
    figures("T4c", "crafted manifests", undetected=0, crashed=0)


def test_a_pickle_in_place_of_the_manifest_is_refused(tmp_path: Path, figures: Figures) -> None:
    class Opens:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    data = pickle.dumps(Opens())
    for file in (data, sealed(data, toc_name(1))):
        with pytest.raises(FormatError, match=toc_name(1)):
            Store.open(RecordingStorage({META: sealed(b"", META, "meta"), toc_name(1): file}))
    assert not (tmp_path / "ran").exists()
    figures("T4c", "crafted manifests", 2, undetected=0, crashed=0)


def test_a_resealed_manifest_opens_or_is_refused_and_no_more(figures: Figures) -> None:
    files = index_files()
    toc = names_in_use()[1]
    body = files[toc][HEADER_BYTES : len(files[toc]) - (ENVELOPE_BYTES - HEADER_BYTES)]
    uuid = json.loads(body)["index_uuid"]
    refused = 0
    for number in range(DAMAGES // 4):
        chance = random.Random(f"sealed {number}")
        changed = bytearray(body)
        chance.choice(CHANGES)(changed, chance)
        try:
            Store.open(RecordingStorage(files | {toc: sealed(bytes(changed), toc, uuid=uuid)}))
        except FormatError:
            refused += 1
    assert refused > DAMAGES // 10
    figures("T4b", "manifests under right checksums", DAMAGES // 4, crashed=0, note=f"{refused:,} refused")


def with_version(data: bytes, major: int, minor: int) -> bytes:
    start = data[:8] + struct.pack("<HH", major, minor) + data[12 : HEADER_BYTES - 8]
    return start + struct.pack("<Q", xxhash.xxh3_64_intdigest(start)) + data[HEADER_BYTES:]


def test_another_version_is_told_with_both_numbers(figures: Figures) -> None:
    files = index_files()
    for name in names_in_use():
        for major, way_out in ((FORMAT[0] + 1, "use a newer newsindex"), (0, "export with the newsindex that made it")):
            with pytest.raises(FormatError, match=rf"{name}: format {major}\.4, .* reads 1\.0; {way_out}"):
                Store.open(RecordingStorage(files | {name: with_version(files[name], major, 4)}))
    figures("T10", "files of another version", 2 * len(names_in_use()), undetected=0)
    newer = {name: with_version(data, FORMAT[0], 9) for name, data in files.items()}
    assert found_in(Store.open(RecordingStorage(newer)).snapshot) == WORKLOAD.expected(COMMITS)


def test_a_commit_with_unknown_features_is_refused() -> None:
    with pytest.raises(FormatError, match=r"features that this newsindex lacks \(vectors\)"):
        Store.open(crafted(manifest_data(required_features=["vectors"])))


def test_a_file_of_another_index_is_refused() -> None:
    storage = crafted(manifest_data())
    storage.data[storage.names[toc_name(1)]][:] = sealed(b"{}", toc_name(1), uuid="f" * 32)
    with pytest.raises(FormatError, match=f"{toc_name(1)}: belongs to another index"):
        Store.open(storage)


def test_the_manifest_reads_back() -> None:
    deletions = FileEntry(f"del-{2:020d}-{'b' * 32}", 160, "f" * 16, 1)
    segment = FileEntry(f"seg-{1:020d}-{'a' * 32}.nix", 2**40, "0" * 16, 2)
    manifest = Manifest(UUID, 10**20 - 1, {"fields": ["é", 1.5, None]}, (SegmentEntry(segment, deletions),))
    assert parse_manifest(memoryview(manifest.to_json()), "toc", manifest.generation, UUID) == manifest
    with pytest.raises(ValueError, match="more articles than"):
        SegmentEntry(segment, FileEntry(deletions.name, 160, "f" * 16, 3))


def test_the_envelope_is_as_specified() -> None:
    data = sealed(b"news", "toc-00000000000000000001")
    assert data[:48].hex(" ", 8) == (
        "894e49580d0a1a0a 0100000000000000 6d616e6966657374 7878683" + "35f363400 0011223344556677 8899aabbccddeeff"
    )
    assert data[48:112] == b"toc-00000000000000000001".ljust(64, b"\0")
    assert data[112:120] == bytes(8)
    assert data[120:128] == struct.pack("<Q", xxhash.xxh3_64_intdigest(data[:120]))
    assert data[128:] == b"news" + struct.pack("<QQ", 4, xxhash.xxh3_64_intdigest(b"news")) + b"NIXEND\r\n"
