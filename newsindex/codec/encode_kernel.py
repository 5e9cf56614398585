"""Kernels from sorted occurrences to the bytes of postings and positions: see `format.py`."""

from __future__ import annotations

import numpy as np
from numba import njit

from newsindex.codec.pack_kernel import BLOCK, pack_patched, put_vbyte

__all__ = ["TERM_FIELDS", "encode_boundaries", "encode_terms", "worst_bytes"]

# Columns of what encode_terms tells of each term.
TERM_FIELDS, TERM_DOCS, TERM_POSTINGS, TERM_POSITION_COUNT, TERM_POSITIONS = range(5)
_SKIP_WORDS = 8
_IMPACTS = 4
# A posting's gap, frequencies and positions at their longest; blocks are never longer than the tail would be.
_WORST = 24
_WORST_TERM = 4096


@njit(cache=True, nogil=True, inline="always")
def worst_bytes(occurrences, field_count):
    """Return more bytes than the postings or positions of a term can take."""
    return _WORST_TERM + occurrences * (_WORST + 5 * field_count)


@njit(cache=True, nogil=True)
def _impacts(freqs, docs, start, weights, lengths, out, at):
    """Write the competitive (frequency, length) pairs of a block, none better in both; the last repeats.

    Rounded so that no article of the block can score more than the best pair.
    """
    count = 0
    pair_freq = np.zeros(_IMPACTS + 1, np.int64)
    pair_length = np.zeros(_IMPACTS + 1, np.int64)
    for i in range(start, start + BLOCK):
        freq = 0.0
        for field in range(weights.size):
            freq += weights[field] * freqs[field, i]
        quarters = min(int(np.ceil(freq * 4.0)), 65535)
        if freq * 4.0 > 65535.0:
            quarters = 65535  # read as "any frequency"
        length = min(int(lengths[docs[i]]), 65535)
        beaten = False
        for j in range(count):
            if pair_freq[j] >= quarters and pair_length[j] <= length:
                beaten = True
                break
        if beaten:
            continue
        kept = 0
        for j in range(count):
            if not (pair_freq[j] <= quarters and pair_length[j] >= length):
                pair_freq[kept] = pair_freq[j]
                pair_length[kept] = pair_length[j]
                kept += 1
        pair_freq[kept] = quarters
        pair_length[kept] = length
        count = kept + 1
        if count > _IMPACTS:
            # Join the two that are nearest in frequency into one that is no worse than either.
            best = 0
            nearest = np.int64(1 << 40)
            other = 1
            for a in range(count):
                for b in range(a + 1, count):
                    distance = abs(pair_freq[a] - pair_freq[b])
                    if distance < nearest:
                        nearest = distance
                        best = a
                        other = b
            pair_freq[best] = max(pair_freq[best], pair_freq[other])
            pair_length[best] = min(pair_length[best], pair_length[other])
            count -= 1
            pair_freq[other] = pair_freq[count]
            pair_length[other] = pair_length[count]
    for j in range(_IMPACTS):
        k = min(j, count - 1)
        out[at + j] = np.uint32(pair_freq[k] | (pair_length[k] << 16))


@njit(cache=True, nogil=True)
def _put_postings(docs, freqs, gap_counts, doc_freq, weights, lengths, position_blocks, scratch, out, words, at):
    """Encode the postings of one term from byte `at`; return the byte after them.

    `position_blocks` has where each full block of the term's positions begins, and the tail.
    """
    low = np.empty(BLOCK, np.uint32)
    field_count = weights.size
    full = doc_freq // BLOCK
    skips = at >> 2
    payload = at + full * _SKIP_WORDS * 4
    begin = payload
    before = np.int64(-1)
    position_count = np.int64(0)
    for block in range(full):
        start = block * BLOCK
        skip = skips + block * _SKIP_WORDS
        words[skip] = docs[start + BLOCK - 1]
        words[skip + 1] = payload - begin
        words[skip + 2] = position_count
        words[skip + 3] = position_blocks[position_count // BLOCK]
        _impacts(freqs, docs, start, weights, lengths, words, skip + 4)
        for i in range(BLOCK):
            doc = np.int64(docs[start + i])
            scratch[i] = doc - before
            before = doc
            position_count += gap_counts[start + i]
        header = payload
        payload = (header + 1 + field_count + 3) & ~3
        for i in range(header, payload):
            out[i] = 0
        out[header], payload = pack_patched(scratch, 0, low, out, words, payload)
        for field in range(field_count):
            out[header + 1 + field], payload = pack_patched(freqs[field], start, low, out, words, payload)
    at = payload
    for i in range(full * BLOCK, doc_freq):
        doc = np.int64(docs[i])
        at = put_vbyte(doc - before, out, at)
        before = doc
        mask = 0
        count = 0
        last = 0
        for field in range(field_count):
            if freqs[field, i]:
                mask |= 1 << field
                count += 1
                last = field
        if count == 1 and freqs[last, i] < 16:
            out[at] = np.uint8((last << 4) | freqs[last, i])
            at += 1
        else:
            out[at] = 0x80
            out[at + 1] = mask
            at += 2
            for field in range(field_count):
                if freqs[field, i]:
                    at = put_vbyte(freqs[field, i], out, at)
    return at


@njit(cache=True, nogil=True)
def _put_positions(gaps, count, blocks, scratch, out, words, at):
    """Encode the position gaps of one term from byte `at`; return the byte after them.

    `blocks` is overwritten with where each full block begins, and the tail, in bytes from the end of the codes.
    """
    full = count // BLOCK
    packed = (at + full + 3) & ~3 if full else at
    begin = packed
    for i in range(at + full, packed):
        out[i] = 0
    for block in range(full):
        blocks[block] = packed - begin
        out[at + block], packed = pack_patched(gaps, block * BLOCK, scratch, out, words, packed)
    blocks[full] = packed - begin
    for i in range(full * BLOCK, count):
        packed = put_vbyte(gaps[i], out, packed)
    return packed


@njit(cache=True, nogil=True)
def encode_terms(first, starts, texts, positions, field_count, weights, lengths, postings, placed, told):
    """Encode terms one after the other until a buffer might not hold the next.

    Args:
        first: the first term to encode.
        starts, texts, positions: as `invert` returns them; text = doc · field_count + field.
        field_count: F, in 1..8.
        weights: float32[F], the schema's.
        lengths: uint32[n], the weighted length of each article, rounded down.
        postings, placed: uint8[m], overwritten from 0 with postings and positions; m is a multiple of 4 and at least
            worst_bytes of the longest term.
        told: int64[T, 5]: for each term encoded, its fields as a bit mask, doc_freq, bytes of postings (what aligns
            it included), number of positions, bytes of positions.

    Returns:
        (next term, bytes of postings, bytes of positions). Both byte counts are multiples of 4.
    """
    words = postings.view(np.uint32)
    placed_words = placed.view(np.uint32)
    at = np.int64(0)
    put = np.int64(0)
    scratch = np.zeros(BLOCK, np.uint32)
    capacity = 1024
    docs = np.zeros(capacity, np.uint32)
    freqs = np.zeros((field_count, capacity), np.uint32)
    counts = np.zeros(capacity, np.uint32)
    gaps = np.zeros(capacity, np.uint32)
    blocks = np.zeros(capacity // BLOCK + 2, np.uint32)
    term = first
    while term < starts.size - 1:
        begin = starts[term]
        end = starts[term + 1]
        occurrences = end - begin
        worst = worst_bytes(occurrences, field_count)
        if at + worst > postings.size or put + worst > placed.size:
            break
        if occurrences > capacity:
            capacity = occurrences * 2
            docs = np.zeros(capacity, np.uint32)
            freqs = np.zeros((field_count, capacity), np.uint32)
            counts = np.zeros(capacity, np.uint32)
            gaps = np.zeros(capacity, np.uint32)
            blocks = np.zeros(capacity // BLOCK + 2, np.uint32)
        doc_freq = 0
        mask = 0
        last_doc = np.int64(-1)
        last_text = np.int64(-1)
        before = np.int64(0)
        for i in range(begin, end):
            text = np.int64(texts[i])
            doc = text // field_count
            field = text - doc * field_count
            if doc != last_doc:
                docs[doc_freq] = doc
                counts[doc_freq] = 0
                for f in range(field_count):
                    freqs[f, doc_freq] = 0
                doc_freq += 1
                last_doc = doc
            if text != last_text:
                before = 0
                last_text = text
            freqs[field, doc_freq - 1] += np.uint32(1)
            counts[doc_freq - 1] += np.uint32(1)
            mask |= 1 << field
            gaps[i - begin] = positions[i] - before
            before = np.int64(positions[i])
        # Blocks are read as words from the map, so what has some begins at a multiple of 4.
        old_at = at
        old_put = put
        if occurrences >= BLOCK:
            while put & 3:
                placed[put] = 0
                put += 1
        put = _put_positions(gaps, occurrences, blocks, scratch, placed, placed_words, put)
        if doc_freq >= BLOCK:
            while at & 3:
                postings[at] = 0
                at += 1
        at = _put_postings(docs, freqs, counts, doc_freq, weights, lengths, blocks, scratch, postings, words, at)
        told[term, TERM_FIELDS] = mask
        told[term, TERM_DOCS] = doc_freq
        told[term, TERM_POSTINGS] = at - old_at
        told[term, TERM_POSITION_COUNT] = occurrences
        told[term, TERM_POSITIONS] = put - old_put
        term += 1
    # The next round begins aligned; the last term of this one takes the bytes that this needs.
    if term > first:
        while at & 3:
            postings[at] = 0
            at += 1
            told[term - 1, TERM_POSTINGS] += 1
        while put & 3:
            placed[put] = 0
            put += 1
            told[term - 1, TERM_POSITIONS] += 1
    return term, at, put


@njit(cache=True, nogil=True)
def encode_boundaries(boundaries, starts, field_count, data, ends):
    """Encode where sentences and paragraphs begin in each article.

    Args:
        boundaries: uint8[n], of each token: 0 none, 1 sentence, 2 paragraph.
        starts: int64[t + 1], where each text's tokens begin; text = doc · field_count + field.
        field_count: F.
        data: uint8[m], overwritten; m ≥ 5 · (number of boundaries).
        ends: uint64[docs + 1], overwritten: where each article's bytes begin.

    Returns:
        The number of bytes.
    """
    at = np.int64(0)
    for doc in range(ends.size - 1):
        ends[doc] = at
        first = starts[doc * field_count]
        before = np.int64(0)
        for token in range(first, starts[(doc + 1) * field_count]):
            if boundaries[token]:
                value = 2 * (token - first) + (1 if boundaries[token] == 2 else 0)
                at = put_vbyte(value - before, data, at)
                before = value
    ends[ends.size - 1] = at
    return at
