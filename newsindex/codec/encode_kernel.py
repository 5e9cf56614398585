"""Kernels from sorted occurrences to the bytes of postings and positions: see `format.py`."""

from __future__ import annotations

import numpy as np

from newsindex.codec.format import ANY_FREQUENCY, IMPACTS, LENGTH_OF_CODE, PACKED_TAIL, SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK, pack_bits, pack_patched, put_vbyte
from newsindex.kernel import kernel

__all__ = ["TERM_FIELDS", "encode_boundaries", "encode_terms", "worst_bytes"]

# Columns of what encode_terms tells of each term.
TERM_FIELDS, TERM_DOCS, TERM_POSTINGS, TERM_POSITION_COUNT, TERM_POSITIONS = range(5)
# A posting's gap, frequencies and positions at their longest; blocks are never longer than the tail would be.
_WORST = 24
_WORST_TERM = 4096


@kernel
def worst_bytes(occurrences, field_count):
    """Return more bytes than the postings or positions of a term can take."""
    return _WORST_TERM + occurrences * (_WORST + 5 * field_count)


@kernel
def _length_code(length):
    """Return what `format.length_code` returns."""
    low = 0
    high = LENGTH_OF_CODE.size
    while high - low > 1:
        middle = (low + high) >> 1
        if LENGTH_OF_CODE[middle] <= length:
            low = middle
        else:
            high = middle
    return low


@kernel
def _impacts(freqs, docs, start, weights, lengths, pairs, out, at):
    """Write the competitive (frequency code, length code) pairs of a block, none better in both; the last repeats.

    `pairs` is int64[2, IMPACTS + 1], overwritten.
    """
    count = 0
    for i in range(start, start + BLOCK):
        weighted = 0.0
        for field in range(weights.size):
            weighted += weights[field] * freqs[field, i]
        freq = ANY_FREQUENCY
        if weighted * 4.0 < ANY_FREQUENCY:
            freq = int(np.ceil(weighted * 4.0))
        length = lengths[docs[i]]
        beaten = False
        for j in range(count):
            # The same as to compare the codes.
            if pairs[0, j] >= freq and LENGTH_OF_CODE[pairs[1, j]] <= length:
                beaten = True
                break
        if beaten:
            continue
        code = _length_code(length)
        kept = 0
        for j in range(count):
            if pairs[0, j] > freq or pairs[1, j] < code:
                pairs[0, kept] = pairs[0, j]
                pairs[1, kept] = pairs[1, j]
                kept += 1
        pairs[0, kept] = freq
        pairs[1, kept] = code
        count = kept + 1
        if count > IMPACTS:
            # Join the two that are nearest in frequency into one that is no worse than either.
            best = 0
            other = 1
            nearest = np.int64(ANY_FREQUENCY + 1)
            for a in range(count):
                for b in range(a + 1, count):
                    distance = abs(pairs[0, a] - pairs[0, b])
                    if distance < nearest:
                        nearest = distance
                        best = a
                        other = b
            pairs[0, best] = max(pairs[0, best], pairs[0, other])
            pairs[1, best] = min(pairs[1, best], pairs[1, other])
            count -= 1
            pairs[0, other] = pairs[0, count]
            pairs[1, other] = pairs[1, count]
    for j in range(IMPACTS):
        k = min(j, count - 1)
        out[at + 2 * j] = pairs[0, k]
        out[at + 2 * j + 1] = pairs[1, k]


@kernel
def _put_postings(docs, freqs, gap_counts, doc_freq, weights, lengths, position_blocks, scratch, out, words, at):
    """Encode the postings of one term from byte `at`; return the byte after them.

    `position_blocks` has where each full block of the term's positions begins, and the tail.
    """
    low = np.empty(BLOCK, np.uint32)
    pairs = np.zeros((2, IMPACTS + 1), np.int64)
    field_count = weights.size
    full = doc_freq // BLOCK
    skips = at >> 2
    payload = at + full * SKIP_WORDS * 4
    begin = payload
    before = np.int64(-1)
    position_count = np.int64(0)
    for block in range(full):
        start = block * BLOCK
        skip = skips + block * SKIP_WORDS
        words[skip] = docs[start + BLOCK - 1]
        words[skip + 1] = payload - begin
        words[skip + 2] = position_count
        words[skip + 3] = position_blocks[position_count // BLOCK]
        _impacts(freqs, docs, start, weights, lengths, pairs, out, (skip + 4) << 2)
        for i in range(BLOCK):
            doc = np.int64(docs[start + i])
            scratch[i] = doc - before
            before = doc
            position_count += gap_counts[start + i]
        header = payload
        payload = (header + 1 + field_count + 3) & ~3
        for i in range(header, payload):
            out[i] = 0
        out[header], payload = pack_patched(scratch, np.int64(0), low, out, words, payload)
        for field in range(field_count):
            out[header + 1 + field], payload = pack_patched(freqs[field], start, low, out, words, payload)
    at = payload
    for i in range(full * BLOCK, doc_freq):
        gap = np.int64(docs[i]) - before
        before = np.int64(docs[i])
        mask = 0
        count = 0
        last = 0
        for field in range(field_count):
            if freqs[field, i]:
                mask |= 1 << field
                count += 1
                last = field
        alone = count == 1 and last == field_count - 1 and freqs[last, i] == 1
        at = put_vbyte(2 * gap + (1 if alone else 0), out, at)
        if alone:
            continue
        if count == 1 and freqs[last, i] < 16:
            out[at] = np.uint8((last << 4) | freqs[last, i])
            at += 1
        else:
            out[at] = 0x80
            out[at + 1] = mask
            at += 2
            for field in range(field_count):
                if freqs[field, i]:
                    at = put_vbyte(np.int64(freqs[field, i]), out, at)
    return at


@kernel
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
    if count - full * BLOCK >= PACKED_TAIL:
        return pack_bits(gaps, full * BLOCK, count, out, packed)
    for i in range(full * BLOCK, count):
        packed = put_vbyte(np.int64(gaps[i]), out, packed)
    return packed


@kernel
def encode_terms(first, starts, texts, positions, field_count, weights, lengths, postings, placed, told):
    """Encode terms one after the other until a buffer might not hold the next.

    Args:
        first: the first term to encode.
        starts, texts, positions: as `invert` returns them; text = doc · field_count + field.
        field_count: F, in 1..8.
        weights: float64[F], the schema's.
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
        doc_freq = np.int64(0)
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


@kernel
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
