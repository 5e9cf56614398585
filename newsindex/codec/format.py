"""The segment file: what stands where, and why.

A segment is written once and never changed. Numbers are little-endian. The store puts a header before the body and a
checksum behind it; offsets here count from the beginning of the body.

    body      := section* directory trailer
    trailer   := offset u64, length u64, of the directory                    (the last 16 bytes)
    directory := JSON: {"doc_count", "text_fields", "keywords", "sections": {name: [offset, length]}}

Sections begin at multiples of 64 bytes, so that they can be used from the memory map as arrays.

Text. One postings list a term over all text fields: a word searched everywhere needs one list. With F text fields:

    terms.blocks    TERM_BLOCK[⌈T / 16⌉]: where each block of 16 terms begins in the three sections below
    terms.data      term*: in order of their UTF-8 bytes, front-coded in blocks of 16
    term            := shared u8, rest u8, bytes[rest], fields u8, doc_freq vb, and where fields is not 0:
                       postings_bytes vb, position_count vb, positions_bytes vb
                       `shared` bytes are those of the term before (0 for the first of a block); `fields` has bit f set
                       when the term stands in text field f
    postings        for each term: full*, then tail. With b = doc_freq // 128 full blocks:
                       SKIP[b], then b payloads, then the tail of doc_freq % 128 postings
    payload         := codes u8[1 + F] padded to 4, gaps packed, then the frequencies of each field packed
    tail            := (2 · gap + 1 vb, or 2 · gap vb, frequencies)*: 1 says once in the last field and nowhere else;
                       frequencies := one byte 0 fff tttt for t = 1..15 in field f alone, else 0x80, fields u8,
                       (frequency vb)*
    positions       for each term: positions of one posting after the other, field by field, as gaps (the first in a
                       field: from 0). With p = position_count // 128: codes u8[p] padded to 4, p packed blocks, then
                       r = position_count % 128 as vb when r < 4, else width u8, bits u8[⌈r · width / 8⌉]: the values
                       one after the other at `width` bits, low bits first

    A gap is the distance to the doc id before (to -1 for the first). vb: variable bytes; packed: blocks of 128 at one
    bit width, their outliers patched (`pack_kernel`); the code tells width and patches. Terms with full blocks begin at
    multiples of 4.

    SKIP has, for each full block: its last doc id; where its payload begins, in bytes from the end of the SKIPs;
    how many positions stand before it, and where the block of positions with the next begins, in bytes from the end of
    the codes; and four competitive pairs (`frequency_code` u8, `length_code` u8) by which its best score is bounded:
    for each article of the block one of them has at least its weighted frequency and at most its weighted length.
    Weighted: the sum over the fields in order, each times the schema's weight of it, in f64. The format stores facts,
    not scores, so k1 and b may change without a rebuild.

    words.blocks, words.data   the words before stemming that are no terms themselves, coded as terms are; doc_freq is
                        the number of the word's term. By them a prefix is expanded. `fields` is 1 for a word that has
                        a list: postings_bytes is 0, position_count and positions_bytes are the list's
    words.occurrences   list*: which of a term's occurrences, in the order of its positions, are of a word. Where the
                        term is a word itself every other has a list, else every one but the commonest (of several the
                        first). Occurrences on no list are of the word without one, or of the term itself
    list            := width u8, then of each occurrence, low bits first: gap >> width zeros, a one, and the low `width`
                       bits of the gap; up to 7 zeros. A gap is the number of occurrences of other words since the one
                       before. width: one bit less than the mean of the gaps has, rounded down; at least 0

    lengths.<field>     N[n]: number of words
    boundaries.*        where sentences and paragraphs begin: `starts` N[n + 1] into `data`, vb gaps of
                        2 · (position in field order) + (1 for a paragraph)

N: unsigned numbers, all in the least of 1, 2, 4 and 8 bytes that holds the largest; the section's size tells which.
Where there are more than 8 and all are the same there is one.
Strings S: `S.data`, the UTF-8 bytes joined, and `S.starts` N, where each begins, and the end.
Front-coded strings S: `S.data`, (shared u8, rest vb, bytes[rest])*, where `shared` bytes are those of the string
before, 0 for the first of each block of 16; and `S.blocks` N, where each block begins, and the end.
Keyword fields k: strings `key.k` (folded values, in order), `shown.k` (as first written), `ords.k.counts` N[n] and
`ords.k` N (value numbers of each article, ascending).
Dates d: `date.d` i64[n], MISSING where there is none. Numbers m: `number.m` i64 or f64[n] and `has.m` u8[n]. Flags:
`flag.g` u8[n], 0 no, 1 yes, 2 missing.
Articles: front-coded strings `id`; strings `title`; `id.hashes` u32[n] sorted (xxh32 of the id), with `id.docs` N[n];
`digest` u8[8 · n], XXH3 of each article's JSON, high byte first; `stored.blocks` N[m + 1] (zstd frames in
`stored.data`), `stored.sizes` u32[m], `stored.starts` N[n + 1] (into the blocks unpacked and joined; an article lies in
one block).

Example: the postings of a term in articles 3 (twice in field 1), 4 (once in fields 0 and 1) and 6 (once in field 1),
with F = 2, are the tail

    08 12  02 80 03 01 01  05

gap 4 (from -1), field 1 twice; gap 1, fields 0 and 1, once each; gap 2, once in field 1, the last.

Another: of the text "rate rates rates rating rates rate rates", all of one term, the lists of "rates" and "rating" are

    00 56  01 06

gaps 1, 0, 1, 1 at width 0: 01 1 01 01; gap 3 at width 1: a zero, a one, and the low bit 1.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "ALIGNMENT",
    "ANY_FREQUENCY",
    "DIGEST_BYTES",
    "IMPACTS",
    "LENGTH_OF_CODE",
    "MISSING",
    "MOST_ALIKE",
    "PACKED_TAIL",
    "SKIP",
    "SKIP_WORDS",
    "STRINGS_IN_BLOCK",
    "TERMS_IN_BLOCK",
    "TERM_BLOCK",
    "TRAILER_BYTES",
    "frequency_code",
    "length_code",
]

ALIGNMENT = 64
TRAILER_BYTES = 16
TERMS_IN_BLOCK = 16
STRINGS_IN_BLOCK = 16
IMPACTS = 4
PACKED_TAIL = 4
MISSING = -(2**63)
MOST_ALIKE = 8  # numbers that are written one by one though all are the same: as many as a number has bytes
DIGEST_BYTES = 8

TERM_BLOCK = np.dtype([("data", "<u8"), ("postings", "<u8"), ("positions", "<u8")])
SKIP = np.dtype(
    [
        ("last_doc", "<u4"),
        ("payload", "<u4"),
        ("positions", "<u4"),
        ("position_block", "<u4"),
        ("impacts", "u1", (IMPACTS, 2)),
    ]
)
SKIP_WORDS = SKIP.itemsize // 4

ANY_FREQUENCY = 255
LENGTH_OF_CODE = np.array([*range(64), *(64 * 2 ** (code / 16) for code in range(192))], np.float32)


def frequency_code(frequency: float) -> int:
    """Return the least code that stands for at least this weighted frequency: in quarters, 255 for any from 63.75 on.

    >>> [frequency_code(frequency) for frequency in (1.0, 1.1, 63.5, 63.75, 9999.0)]
    [4, 5, 254, 255, 255]
    """
    return min(ANY_FREQUENCY, math.ceil(4 * frequency))


def length_code(length: float) -> int:
    """Return the greatest code that stands for at most this weighted length, by `LENGTH_OF_CODE`.

    >>> [length_code(length) for length in (0, 63.9, 64, 66, 67, 128, 1e9)]
    [0, 63, 64, 64, 65, 80, 255]
    """
    return int(np.searchsorted(LENGTH_OF_CODE, length, side="right")) - 1
