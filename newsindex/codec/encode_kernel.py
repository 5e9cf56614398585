"""Kernels from sorted occurrences to the bytes of postings and positions: see `format.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from newsindex.codec.format import ANY_FREQUENCY, IMPACTS, LENGTH_OF_CODE, PACKED_TAIL, SKIP_WORDS
from newsindex.codec.pack_kernel import BLOCK, pack_bits, pack_patched, put_vbyte
from newsindex.codec.rows_kernel import prefetch
from newsindex.kernel import inner, lean

__all__ = [
    "NO_PIECES",
    "TERM_FIELDS",
    "Pieces",
    "Room",
    "encode_boundaries",
    "encode_terms",
    "make_room",
    "worst_bytes",
]

# Columns of what encode_terms tells of each term.
TERM_FIELDS, TERM_DOCS, TERM_POSTINGS, TERM_POSITION_COUNT, TERM_POSITIONS = range(5)
# A posting's gap, frequencies and positions at their longest; blocks are never longer than the tail would be.
_WORST = 24
_WORST_TERM = 4096
# Places in the room of a term: what it has not yet written, less than a block of each; the first block is scratch.
_GAPS, _DOCS, _DOC_GAPS, _FREQS = (BLOCK * place for place in range(1, 5))
# Pieces lie anywhere: one so many ahead is on its way from memory while those before it are read.
_AHEAD = 12
# The least whole number that is no less than the length of a code.
_LEAST_LENGTH = np.ceil(LENGTH_OF_CODE).astype(np.uint32)
# The codes of lengths that most articles have: looked up, for each block has a dozen that are to be told.
_CODES = (np.searchsorted(LENGTH_OF_CODE, np.arange(4096), side="right") - 1).astype(np.uint8)


class Pieces(NamedTuple):
    """Where the occurrences of terms stand: in pieces, those of one term behind each other in the order of the texts.

    Those of term t are [starts[t], starts[t + 1]); empty when the occurrences are told in another way. Piece p is
    places[begins[p] : begins[p] + lengths[p]] of run r = runs[p]: text - first_texts[r] in the high bits, position in
    the low shifts[r] bits.
    """

    starts: npt.NDArray[np.int64]
    begins: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.uint32]
    runs: npt.NDArray[np.uint32]
    first_texts: npt.NDArray[np.int64]
    shifts: npt.NDArray[np.int64]
    places: npt.NDArray[np.uint32]


_NO_INTS, _NO_WORDS = np.zeros(0, np.int64), np.zeros(0, np.uint32)
NO_PIECES = Pieces(_NO_INTS, _NO_INTS, _NO_WORDS, _NO_WORDS, _NO_INTS, _NO_INTS, _NO_WORDS)


class Room(NamedTuple):
    """What `encode_terms` works in; `words` are zeros at first, and given again as they were left."""

    words: npt.NDArray[np.uint32]
    sums: npt.NDArray[np.float64]
    least: npt.NDArray[np.uint32]
    pairs: npt.NDArray[np.int64]


def make_room(field_count: int) -> Room:
    """Return room for terms in so many fields."""
    words = np.zeros(_FREQS + field_count * BLOCK, np.uint32)
    return Room(words, np.zeros(BLOCK), np.zeros(ANY_FREQUENCY + 1, np.uint32), np.zeros(2 * (IMPACTS + 1), np.int64))


@lean
def worst_bytes(occurrences, field_count):
    """Return more bytes than the postings or positions of a term can take."""
    return _WORST_TERM + occurrences * (_WORST + 5 * field_count)


@inner
def _length_code(length):
    """Return what `format.length_code` returns."""
    if length < _CODES.size:
        return np.int64(_CODES[length])
    low = 0
    high = LENGTH_OF_CODE.size
    while high - low > 1:
        middle = (low + high) >> 1
        if LENGTH_OF_CODE[middle] <= length:
            low = middle
        else:
            high = middle
    return low


@inner
def _lower(least, freq, code):
    """Note a pair: articles of no higher frequency that are as long as its length are no better."""
    length = _LEAST_LENGTH[code]
    for lower in range(np.uint64(freq + 1)):
        least[lower] = min(least[lower], length)


@inner
def _put_impacts(room, weights, lengths, sums, least, pairs, out, at):
    """Write the competitive (frequency code, length code) pairs of a block, none better in both; the last repeats.

    Overwritten are the first block of `room`, `sums` float64[BLOCK], `pairs` int64[2 · (IMPACTS + 1)] and `least`
    uint32[ANY_FREQUENCY + 1]: for each frequency code the length from which on an article is no better than some pair.
    """
    for i in range(BLOCK):
        sums[i] = 0.0
    for field in range(weights.size):
        begin = np.uint64(_FREQS + field * BLOCK)
        for i in range(np.uint64(BLOCK)):
            sums[i] += weights[field] * room[begin + np.uint64(i)]
    for i in range(np.uint64(BLOCK)):
        room[i] = np.int32(np.ceil(min(sums[i] * 4.0, float(ANY_FREQUENCY))))
    for freq in range(ANY_FREQUENCY + 1):
        least[freq] = 0xFFFFFFFF
    codes = pairs[IMPACTS + 1 :]
    count = 0
    for i in range(BLOCK):
        freq = np.int64(room[i])
        length = lengths[room[_DOCS + i]]
        if least[freq] <= length:
            continue
        code = _length_code(length)
        kept = 0
        for j in range(count):
            if pairs[j] > freq or codes[j] < code:
                pairs[kept] = pairs[j]
                codes[kept] = codes[j]
                kept += 1
        pairs[kept] = freq
        codes[kept] = code
        count = kept + 1
        _lower(least, freq, code)
        if count > IMPACTS:
            # Join the two that are nearest in frequency into one that is no worse than either.
            best = 0
            other = 1
            nearest = np.int64(ANY_FREQUENCY + 1)
            for a in range(count):
                for b in range(a + 1, count):
                    distance = abs(pairs[a] - pairs[b])
                    if distance < nearest:
                        nearest = distance
                        best = a
                        other = b
            pairs[best] = max(pairs[best], pairs[other])
            codes[best] = min(codes[best], codes[other])
            count -= 1
            pairs[other] = pairs[count]
            codes[other] = codes[count]
            _lower(least, pairs[best], codes[best])
    for j in range(IMPACTS):
        k = min(j, count - 1)
        out[at + 2 * j] = pairs[k]
        out[at + 2 * j + 1] = codes[k]


@inner
def _put_payload(room, field_count, out, words, at):
    """Encode a full block of postings from byte `at`, and clear its frequencies; return the byte after it."""
    header = at
    at = (header + 1 + field_count + 3) & ~3
    for i in range(header, at):
        out[i] = 0
    for column in range(1 + field_count):
        begin = _DOC_GAPS if column == 0 else _FREQS + (column - 1) * BLOCK
        out[header + column], at = pack_patched(room, np.int64(begin), room[:BLOCK], out, words, at)
    for i in range(_FREQS, _FREQS + field_count * BLOCK):
        room[i] = 0
    return at


@inner
def _put_tail(room, count, field_count, out, at):
    """Encode the last postings, fewer than a block, and clear their frequencies; return the byte after them."""
    for i in range(count):
        mask = 0
        in_fields = 0
        last = 0
        freq = np.int64(0)
        for field in range(field_count):
            here = np.int64(room[_FREQS + field * BLOCK + i])
            if here:
                mask |= 1 << field
                in_fields += 1
                last = field
                freq = here
        gap = np.int64(room[_DOC_GAPS + i])
        if in_fields == 1 and last == field_count - 1 and freq == 1:
            at = put_vbyte(2 * gap + 1, out, at)
        else:
            at = put_vbyte(2 * gap, out, at)
            if in_fields == 1 and freq < 16:
                out[at] = np.uint8((last << 4) | freq)
                at += 1
            else:
                out[at] = 0x80
                out[at + 1] = mask
                at += 2
                for field in range(field_count):
                    here = np.int64(room[_FREQS + field * BLOCK + i])
                    if here:
                        at = put_vbyte(here, out, at)
        for field in range(field_count):
            room[_FREQS + field * BLOCK + i] = 0
    return at


@inner
def _gather(piece, after, begins, lengths, runs, first_texts, shifts, places, texts, positions):
    """Write the occurrences in pieces [piece, after), those of one term, to `texts` and `positions`."""
    at = np.uint64(0)
    last = np.int64(begins.size - 1)
    for number in range(piece, after):
        prefetch(places, begins[min(number + _AHEAD, last)])
        run = runs[number]
        first_text = first_texts[run]
        shift = shifts[run]
        mask = (np.int64(1) << shift) - 1
        begin = np.uint64(begins[number])
        for i in range(begin, begin + np.uint64(lengths[number])):
            place = np.int64(places[i])
            texts[at] = first_text + (place >> shift)
            positions[at] = place & mask
            at += np.uint64(1)


@lean
def encode_terms(
    first, starts, texts, positions, pieces, field_count, weights, lengths, working, postings, placed, told
):
    """Encode terms one after the other until a buffer might not hold the next.

    Args:
        first: the first term to encode.
        starts: int64[T + 1]; a term has starts[term + 1] - starts[term] occurrences.
        texts, positions: uint32[n]: of each occurrence the text, doc · field_count + field, and the position in it,
            counted from 0; those of a term begin at starts[term]. Where there are pieces, room for one term.
        pieces: `Pieces` of the terms; empty where there are none.
        field_count: F, in 1..8.
        weights: float64[F], the schema's.
        lengths: uint32[n], the weighted length of each article, rounded down.
        working: `make_room(F)`.
        postings, placed: uint8[m], overwritten from 0 with postings and positions; m is a multiple of 4 and at least
            worst_bytes of the longest term.
        told: int64[T, 5]: for each term encoded, its fields as a bit mask, doc_freq, bytes of postings (what aligns
            it included), number of positions, bytes of positions.

    Returns:
        (next term, bytes of postings, bytes of positions). Both byte counts are multiples of 4.
    """
    piece_starts, begins, piece_lengths, runs, first_texts, shifts, places = pieces
    room, sums, least, pairs = working
    words = postings.view(np.uint32)
    placed_words = placed.view(np.uint32)
    scratch = room[:BLOCK]
    per_doc = 1.0 / field_count
    at = np.int64(0)
    put = np.int64(0)
    term = first
    while term < starts.size - 1:
        count = starts[term + 1] - starts[term]
        worst = worst_bytes(count, field_count)
        if at + worst > postings.size or put + worst > placed.size:
            break
        begin = starts[term]
        if piece_starts.size:
            begin = np.int64(0)
            piece, after = piece_starts[term], piece_starts[term + 1]
            _gather(piece, after, begins, piece_lengths, runs, first_texts, shifts, places, texts, positions)
        # Blocks are read as words from the map, so what has some begins at a multiple of 4.
        old_put = put
        full = count // BLOCK
        codes = put
        if full:
            while codes & 3:
                placed[codes] = 0
                codes += 1
            put = (codes + full + 3) & ~3
            for i in range(codes + full, put):
                placed[i] = 0
        old_at = at
        skips = (at + 3) >> 2
        # The payloads are moved when it is known how many articles there are, for how many skips to leave room.
        payloads = (skips + full * SKIP_WORDS) << 2
        payload = payloads
        blocks = put
        block = 0
        gaps = 0
        doc_blocks = np.int64(0)
        doc_count = 0
        doc = np.int64(-1)
        next_doc = np.int64(0)
        mask = 0
        i = np.uint64(begin)
        end = np.uint64(begin + count)
        while i < end:
            text = np.int64(texts[i])
            if text >= next_doc:
                before = doc
                # A half of a field more, so that rounding cannot come to the article before.
                doc = np.int64((text + 0.5) * per_doc)
                next_doc = (doc + 1) * field_count
                if doc_count == BLOCK:
                    skip = skips + doc_blocks * SKIP_WORDS
                    words[skip] = room[_DOCS + BLOCK - 1]
                    words[skip + 1] = payload - payloads
                    _put_impacts(room, weights, lengths, sums, least, pairs, postings, (skip + 4) << 2)
                    payload = _put_payload(room, field_count, postings, words, payload)
                    doc_blocks += 1
                    doc_count = 0
                if doc_count == 0:
                    skip = skips + doc_blocks * SKIP_WORDS
                    if doc_blocks < full:
                        words[skip + 2] = np.int64(i) - begin
                        words[skip + 3] = put - blocks
                room[_DOCS + doc_count] = doc
                room[_DOC_GAPS + doc_count] = doc - before
                doc_count += 1
            field = text - (next_doc - field_count)
            mask |= 1 << field
            text_begin = i
            before_it = np.uint32(0)
            while True:
                position = positions[i]
                room[_GAPS + gaps] = position - before_it
                before_it = position
                gaps += 1
                i += np.uint64(1)
                if gaps == BLOCK:
                    placed[codes + block], put = pack_patched(room, np.int64(_GAPS), scratch, placed, placed_words, put)
                    block += 1
                    gaps = 0
                if i >= end or texts[i] != text:
                    break
            room[_FREQS + field * BLOCK + doc_count - 1] = i - text_begin
        if doc_count == BLOCK:
            skip = skips + doc_blocks * SKIP_WORDS
            words[skip] = room[_DOCS + BLOCK - 1]
            words[skip + 1] = payload - payloads
            _put_impacts(room, weights, lengths, sums, least, pairs, postings, (skip + 4) << 2)
            payload = _put_payload(room, field_count, postings, words, payload)
            doc_blocks += 1
            doc_count = 0
        if gaps >= PACKED_TAIL:
            put = pack_bits(room, np.int64(_GAPS), np.int64(_GAPS + gaps), placed, put)
        else:
            for gap in range(_GAPS, _GAPS + gaps):
                put = put_vbyte(np.int64(room[gap]), placed, put)
        if doc_blocks:
            while at & 3:
                postings[at] = 0
                at += 1
            to = skips + doc_blocks * SKIP_WORDS
            for word in range(payloads >> 2, payload >> 2):
                words[to] = words[word]
                to += 1
            at = to << 2
        doc_freq = doc_blocks * BLOCK + doc_count
        at = _put_tail(room, doc_count, field_count, postings, at)
        told[term, TERM_FIELDS] = mask
        told[term, TERM_DOCS] = doc_freq
        told[term, TERM_POSTINGS] = at - old_at
        told[term, TERM_POSITION_COUNT] = count
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


@inner
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
