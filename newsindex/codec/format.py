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
    term            := shared u8, rest u8, bytes[rest], fields u8, doc_freq vb, postings_bytes vb, position_count vb,
                       positions_bytes vb
                       `shared` bytes are those of the term before (0 for the first of a block); `fields` has bit f set
                       when the term stands in text field f
    postings        for each term: full*, then tail. With b = doc_freq // 128 full blocks:
                       SKIP[b], then b payloads, then the tail of doc_freq % 128 postings
    payload         := codes u8[1 + F] padded to 4, gaps packed, then the frequencies of each field packed
    tail            := (gap vb, frequencies)*; frequencies := one byte 0 fff tttt for t = 1..15 in field f alone,
                       else 0x80, fields u8, (frequency vb)*
    positions       for each term: positions of one posting after the other, field by field, as gaps (the first in a
                       field: from 0). With p = position_count // 128: codes u8[p] padded to 4, p packed blocks, then
                       position_count % 128 as vb

    A gap is the distance to the doc id before (to -1 for the first). vb: variable bytes; packed: blocks of 128 at one
    bit width, their outliers patched (`pack_kernel`); the code tells width and patches. Terms with full blocks begin at
    multiples of 4.

    SKIP has, for each full block: its last doc id; where its payload begins, in bytes from the end of the SKIPs;
    how many positions stand before it, and where the block of positions with the next begins, in bytes from the end of
    the codes; and four competitive pairs (weighted frequency in quarters, rounded up, weighted
    length, rounded down) by which its best score is bounded. The weights are the schema's. The format stores facts, not
    scores, so k1 and b may change without a rebuild.

    words.blocks, words.data   the words before stemming that are no terms themselves, coded as terms are; doc_freq is
                        the number of the word's term, the rest is 0. By them a prefix is expanded

    lengths.<field>     N[n]: number of words
    boundaries.*        where sentences and paragraphs begin: `starts` N[n + 1] into `data`, vb gaps of
                        2 · (position in field order) + (1 for a paragraph)

N: unsigned numbers, all in the least of 1, 2, 4 and 8 bytes that holds the largest; the section's size tells which.
Strings S: `S.data`, the UTF-8 bytes joined, and `S.starts` N, where each begins, and the end.
Keyword fields k: strings `key.k` (folded values, in order), `shown.k` (as first written), `ords.k.counts` N[n] and
`ords.k` N (value numbers of each article, ascending).
Dates d: `date.d` i64[n], MISSING where there is none. Numbers m: `number.m` i64 or f64[n] and `has.m` u8[n]. Flags:
`flag.g` u8[n], 0 no, 1 yes, 2 missing.
Articles: strings `id` and `title`; `id.hashes` u32[n] sorted (xxh32 of the id), with `id.docs` u32[n]; `digest`
u8[8 · n], the first bytes of each article's digest; `stored.blocks` N[m + 1] (zstd frames in `stored.data`),
`stored.sizes` u32[m], `stored.starts` N[n + 1] (into the blocks unpacked and joined; an article lies in one block).

Example: the postings of a term in articles 3 (twice in field 1) and 4 (once in fields 0 and 1, F = 2) are the tail

    04 12  01 80 03 01 01

gap 4 (from -1), field 1 twice; gap 1, fields 0 and 1, once each.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "ALIGNMENT",
    "DIGEST_BYTES",
    "IMPACTS",
    "MISSING",
    "SKIP",
    "SKIP_WORDS",
    "TERMS_IN_BLOCK",
    "TERM_BLOCK",
    "TRAILER_BYTES",
]

ALIGNMENT = 64
TRAILER_BYTES = 16
TERMS_IN_BLOCK = 16
IMPACTS = 4
MISSING = -(2**63)
DIGEST_BYTES = 8

TERM_BLOCK = np.dtype([("data", "<u8"), ("postings", "<u8"), ("positions", "<u8")])
SKIP = np.dtype(
    [
        ("last_doc", "<u4"),
        ("payload", "<u4"),
        ("positions", "<u4"),
        ("position_block", "<u4"),
        ("impacts", "<u2", (IMPACTS, 2)),
    ]
)
SKIP_WORDS = SKIP.itemsize // 4
