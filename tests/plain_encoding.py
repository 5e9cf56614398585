"""The bytes of postings and positions, as `codec/format.py` has them, in plain Python."""

from __future__ import annotations

import struct
from itertools import groupby
from operator import itemgetter

from newsindex.codec import format as spec

BLOCK = 128
Occurrence = tuple[int, int, int]
"""Article, field, position."""


def variable(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def rows(values: list[int], width: int) -> bytes:
    lanes = [sum(value << width * row for row, value in enumerate(values[lane::4])) for lane in range(4)]
    return b"".join(struct.pack("<I", lanes[n % 4] >> 32 * (n // 4) & 0xFFFFFFFF) for n in range(4 * width))


def packed(values: list[int]) -> tuple[int, bytes]:
    """Return the code and the bytes of a block, at the width that takes the fewest bytes; the narrowest of several."""
    widest = max(values).bit_length()
    best = 16 * widest, b"", widest
    for width in range(widest):
        high = widest - width
        patches = [n | value >> width << 7 for n, value in enumerate(values) if value >> width]
        joined = sum(patch << (7 + high) * place for place, patch in enumerate(patches))
        data = aligned(bytes([len(patches), high]) + joined.to_bytes(-(-len(patches) * (7 + high) // 8), "little"))
        if 16 * width + len(data) < best[0]:
            best = 16 * width + len(data), data, width
    _, patched, width = best
    return width | (0x40 if patched else 0), rows([value & (1 << width) - 1 for value in values], width) + patched


def impacts(articles: list[tuple[float, int]]) -> bytes:
    """Return the competitive pairs of a block, of the weighted frequency and length of each article."""
    pairs: list[tuple[int, int]] = []
    for frequency, length in articles:
        own = spec.frequency_code(frequency), spec.length_code(length)
        if any(freq >= own[0] and code <= own[1] for freq, code in pairs):
            continue
        pairs = [pair for pair in pairs if pair[0] > own[0] or pair[1] < own[1]] + [own]
        if len(pairs) > spec.IMPACTS:
            places = [(a, b) for a in range(len(pairs)) for b in range(a + 1, len(pairs))]
            best, other = min(places, key=lambda places: abs(pairs[places[0]][0] - pairs[places[1]][0]))
            pairs[best] = max(pairs[best][0], pairs[other][0]), min(pairs[best][1], pairs[other][1])
            pairs[other] = pairs[-1]
            del pairs[-1]
    return bytes(code for n in range(spec.IMPACTS) for code in pairs[min(n, len(pairs) - 1)])


def encode_positions(gaps: list[int]) -> tuple[bytes, list[int]]:
    """Return the bytes of a term's position gaps, and where each block begins behind the codes."""
    full = len(gaps) // BLOCK
    codes, data, begins = b"", b"", []
    for block in range(full):
        begins.append(len(data))
        code, its = packed(gaps[block * BLOCK : (block + 1) * BLOCK])
        codes, data = codes + bytes([code]), data + its
    begins.append(len(data))
    rest = gaps[full * BLOCK :]
    if len(rest) < spec.PACKED_TAIL:
        return aligned(codes) + data + b"".join(map(variable, rest)), begins
    width = max(rest).bit_length()
    joined = sum(value << width * n for n, value in enumerate(rest))
    return aligned(codes) + data + bytes([width]) + joined.to_bytes(-(-len(rest) * width // 8), "little"), begins


def encode_list(places: list[int]) -> bytes:
    """Return the list of a word that has these occurrences of its term."""
    gaps = [place - before - 1 for before, place in zip([-1, *places], places, strict=False)]
    width = max(0, (sum(gaps) // len(gaps)).bit_length() - 1)
    signs = ["0" * (gap >> width) + "1" + "".join(str(gap >> bit & 1) for bit in range(width)) for gap in gaps]
    bits = "".join(signs)
    return bytes([width]) + int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")


def encode_term(
    occurrences: list[Occurrence], fields: int, weights: list[float], lengths: list[int]
) -> tuple[bytes, bytes]:
    """Return the postings and the positions of a term."""
    gaps: list[int] = []
    articles: list[tuple[int, list[int], int]] = []
    for doc, own in groupby(occurrences, itemgetter(0)):
        before, freqs = len(gaps), [0] * fields
        for field, places in groupby(own, itemgetter(1)):
            positions = [position for _, _, position in places]
            freqs[field] = len(positions)
            gaps += [after - first for first, after in zip([0, *positions], positions, strict=False)]
        articles.append((doc, freqs, before))
    positions, begins = encode_positions(gaps)
    docs = [doc for doc, _, _ in articles]
    doc_gaps = [doc - before for before, doc in zip([-1, *docs], docs, strict=False)]
    full = len(articles) // BLOCK
    skips, payloads = b"", b""
    for block in range(full):
        part = articles[block * BLOCK : (block + 1) * BLOCK]
        weighted = [
            (sum(weight * freq for weight, freq in zip(weights, freqs, strict=True)), lengths[doc])
            for doc, freqs, _ in part
        ]
        before = part[0][2]
        skips += struct.pack("<4I", part[-1][0], len(payloads), before, begins[before // BLOCK]) + impacts(weighted)
        columns = [
            doc_gaps[block * BLOCK :][:BLOCK],
            *([freqs[field] for _, freqs, _ in part] for field in range(fields)),
        ]
        coded = [packed(column) for column in columns]
        payloads += aligned(bytes(code for code, _ in coded)) + b"".join(data for _, data in coded)
    tail = b"".join(
        tail_posting(gap, freqs)
        for gap, (_, freqs, _) in zip(doc_gaps[full * BLOCK :], articles[full * BLOCK :], strict=True)
    )
    return skips + payloads + tail, positions


def tail_posting(gap: int, freqs: list[int]) -> bytes:
    held = [field for field, freq in enumerate(freqs) if freq]
    last = held[-1]
    if held == [len(freqs) - 1] and freqs[last] == 1:
        return variable(2 * gap + 1)
    if len(held) == 1 and freqs[last] < 16:
        return variable(2 * gap) + bytes([last << 4 | freqs[last]])
    mask = sum(1 << field for field in held)
    return variable(2 * gap) + bytes([0x80, mask]) + b"".join(variable(freqs[field]) for field in held)
