"""Damage to the files of an index: as it happens, and with every checksum made right again."""

from __future__ import annotations

import json
import random
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import newsindex
from newsindex.store import merge_policy
from newsindex.store.envelope import ENVELOPE_BYTES, HEADER_BYTES, checksum_of, footer, header
from newsindex.store.manifest import META, FileEntry, Manifest, SegmentEntry, parse_manifest
from tests.faults.index_workload import article

Files = dict[str, bytes]
ARTICLES = 140  # in each segment, so that common words fill a block of 128 postings
_NUMBERS = (0, 1, -1, 127, 2**31 - 1, 2**32, 2**63, 10**30, 1e6, float("inf"), None, "x", [], True)


def make_files(folder: Path) -> Files:
    """Make an index of two segments, some articles of each deleted, and return its files."""
    assert merge_policy._MOST_IN_TIER > 2
    with newsindex.open(folder, create=True) as index:
        for part in "ab":
            index.add(article(f"{part}{number}", 1) for number in range(ARTICLES))
        index.delete(f"{part}{number}" for part in "ab" for number in range(0, ARTICLES, 9))
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("write.")}


def newest_toc(files: Files) -> str:
    return max(name for name in files if name.startswith("toc-"))


def read_manifest(files: Files) -> Manifest:
    name = newest_toc(files)
    content = memoryview(files[name])[HEADER_BYTES : HEADER_BYTES - ENVELOPE_BYTES]
    told = json.loads(bytes(content))
    return parse_manifest(content, name, told["generation"], told["index_uuid"])


def in_use(files: Files) -> list[str]:
    """Return the names of the files that an open index reads."""
    return [META, newest_toc(files), *(file.name for file in read_manifest(files).files())]


def write_files(files: Files, folder: Path) -> None:
    """Replace what is in the folder; each file is a new one, as a map may still be on the old."""
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


# Damage as it happens


def _flip_bit(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _change_byte(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _zero_page(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data)) // 512 * 512
    data[at : at + 512] = bytes(len(data[at : at + 512]))


def _append(data: bytearray, chance: random.Random) -> None:
    data += chance.randbytes(chance.randrange(1, 200))


_DAMAGES = (_flip_bit, _change_byte, _truncate, _zero_page, _append)


def damaged(files: Files, number: int) -> tuple[str, Files, set[str]]:
    """Return what damage `number` is, the damaged files, and the names of those that differ."""
    chance = random.Random(f"damage an index {number}")
    names = in_use(files)
    name = names[number % len(names)]
    changed = dict(files)
    what = chance.randrange(len(_DAMAGES) + 2)
    if what == len(_DAMAGES):
        del changed[name]
        return "delete", changed, {name}
    if what > len(_DAMAGES):
        other = chance.choice([one for one in names if one != name])
        changed[name], changed[other] = files[other], files[name]
        return "swap", changed, {name, other}
    data = bytearray(files[name])
    _DAMAGES[what](data, chance)
    changed[name] = bytes(data)
    return _DAMAGES[what].__name__.strip("_"), changed, {name} if changed[name] != files[name] else set()


# Damage with checksums made right


def resealed(files: Files, number: int) -> tuple[str, Files]:
    """Return what damage `number` is, and files that only their decoders can tell from whole ones."""
    chance = random.Random(f"reseal {number}")
    manifest = read_manifest(files)
    changed = dict(files)
    segments = list(manifest.segments)
    at = chance.randrange(len(segments))
    segment = segments[at]
    assert segment.deletions is not None
    kind = chance.random()
    if kind < 0.05:
        body = bytearray(_body(files[newest_toc(files)]))
        what = _overwrite(body, chance, 0, len(body))
        changed[newest_toc(files)] = _sealed("manifest", manifest, newest_toc(files), bytes(body))
        return f"manifest: {what}", changed
    if kind < 0.1:
        name = segment.deletions.name
        body = bytearray(_body(files[name]))
        what = _overwrite(body, chance, 0, len(body))
        bits = int(np.unpackbits(np.frombuffer(body, np.uint8)).sum())
        count = min(bits if chance.random() < 0.7 else segment.deletions.doc_count, segment.file.doc_count)
        segments[at] = SegmentEntry(segment.file, _seal(changed, "deletion", manifest, name, bytes(body), count))
    else:
        body, what = _changed_segment(_body(files[segment.file.name]), chance)
        name = segment.file.name
        segments[at] = replace(
            segment, file=_seal(changed, "segment", manifest, name, bytes(body), segment.file.doc_count)
        )
    toc = newest_toc(files)
    changed[toc] = _sealed("manifest", manifest, toc, replace(manifest, segments=tuple(segments)).to_json())
    return f"{name}: {what}", changed


def _body(file: bytes) -> bytes:
    return file[HEADER_BYTES : HEADER_BYTES - ENVELOPE_BYTES]


def _sealed(kind: str, manifest: Manifest, name: str, body: bytes) -> bytes:
    return header(kind, manifest.index_uuid, name) + body + footer(len(body), checksum_of(body))


def _seal(files: Files, kind: str, manifest: Manifest, name: str, body: bytes, count: int) -> FileEntry:
    files[name] = _sealed(kind, manifest, name, body)
    return FileEntry(name, len(files[name]), checksum_of(body), count)


def _changed_segment(body: bytes, chance: random.Random) -> tuple[bytes, str]:
    offset, length = struct.unpack("<QQ", body[-16:])
    directory = json.loads(body[offset : offset + length])
    if chance.random() < 0.15:
        what = _change_number(directory, chance)
        encoded = json.dumps(directory).encode()
        return body[:offset] + encoded + struct.pack("<QQ", offset, len(encoded)), f"directory: {what}"
    changed = bytearray(body)
    if chance.random() < 0.05:
        return changed, f"trailer: {_overwrite(changed, chance, offset, len(body))}"
    # Sections alike, not bytes: most of a segment are postings and stored articles.
    name = chance.choice([name for name, (_, size) in directory["sections"].items() if size])
    begin, size = directory["sections"][name]
    return changed, f"{name}: {_overwrite(changed, chance, begin, begin + size)}"


def _change_number(told: Any, chance: random.Random) -> str:
    """Put something else in the place of one of the directory's numbers, which are any number of levels down."""
    path = []
    while isinstance(told, dict | list) and told:
        key = chance.choice(list(told)) if isinstance(told, dict) else chance.randrange(len(told))
        path.append(str(key))
        if not isinstance(told[key], dict | list) or not told[key]:
            near = [told[key] + step for step in (-64, -1, 1, 64)] if isinstance(told[key], int) else []
            told[key] = chance.choice([*_NUMBERS, *near])
            return f"{'.'.join(path)} = {told[key]!r}"
        told = told[key]
    return "nothing"


def _overwrite(data: bytearray, chance: random.Random, begin: int, end: int) -> str:
    """Change bytes in [begin, end) and tell how; a few changes at a time, since one may hide in what is not read."""
    told = []
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(begin, end)
        after = min(at + chance.choice((1, 1, 2, 4, 8, 64)), end)
        length = after - at
        source = chance.randrange(begin, end - length + 1)
        new = chance.choice((
            bytes([data[at] ^ 1 << chance.randrange(8)]), chance.randbytes(length), b"\xff" * length, bytes(length),
            b"\x80" * length, bytes(data[source : source + length]),
        ))  # fmt: skip
        data[at : at + len(new)] = new
        told.append(f"{at - begin}+{len(new)}")
    return ", ".join(told)
