"""Kernels that turn the postings of several segments into occurrences of one, term range by term range."""

from __future__ import annotations

import numpy as np

from newsindex.codec.decode_kernel import decode_positions, decode_postings
from newsindex.kernel import kernel

__all__ = ["expand_terms", "gather_bytes", "interleave"]


@kernel
def expand_terms(
    told, postings, posting_words, positions, position_words, fields, doc_map, counts, texts, places, lives
):
    """Decode the terms of one segment into occurrences.

    Args:
        told: int64[t, 7], as `decode_terms` tells it.
        postings, posting_words, positions, position_words: the sections, as bytes and as words.
        fields: F.
        doc_map: int64[n], the new number of each article, -1 for one that is deleted.
        counts: int64[t], overwritten with the number of occurrences kept of each term.
        texts, places: uint32[m], overwritten; m ≥ the terms' position counts together.
        lives: uint8[m], made 1 for each occurrence that is kept; zeros before.

    Returns:
        The number of occurrences kept, or -1 on damage.
    """
    room = 128
    docs = np.empty(room, np.uint32)
    freqs = np.empty((fields, room), np.uint32)
    position_room = 128
    gaps = np.empty(position_room, np.uint32)
    kept = np.int64(0)
    seen = np.int64(0)
    for term in range(told.shape[0]):
        doc_freq = told[term, 1]
        count = told[term, 4]
        if doc_freq > doc_map.size or count < doc_freq or doc_freq < 0 or count > lives.size - seen:
            return -1
        if doc_freq > room:
            room = (doc_freq * 2 + 127) // 128 * 128
            docs = np.empty(room, np.uint32)
            freqs = np.empty((fields, room), np.uint32)
        if count > position_room:
            if kept + count > texts.size:
                return -1
            position_room = (count * 2 + 127) // 128 * 128
            gaps = np.empty(position_room, np.uint32)
        if (
            decode_postings(
                postings, posting_words, told[term, 2], told[term, 3], doc_freq, fields, doc_map.size, docs, freqs
            )
            < 0
        ):
            return -1
        if decode_positions(positions, position_words, told[term, 5], told[term, 6], count, gaps) < 0:
            return -1
        before = kept
        at = np.int64(0)
        for i in range(doc_freq):
            doc = doc_map[docs[i]]
            for field in range(fields):
                place = np.int64(0)
                freq = np.int64(freqs[field, i])
                if at + freq > count or kept + freq > texts.size:
                    return -1
                if doc < 0:
                    at += freq
                    continue
                for _ in range(freq):
                    place += np.int64(gaps[at])
                    at += 1
                    texts[kept] = doc * fields + field
                    places[kept] = place
                    lives[seen + at - 1] = 1
                    kept += 1
        if at != count:
            return -1
        seen += count
        counts[term] = kept - before
    return kept


@kernel
def interleave(ranks, counts, texts, places, free, merged_texts, merged_places):
    """Copy one segment's occurrences to their places among those of all.

    Args:
        ranks: int64[t], the merged number of each of the segment's terms, from the beginning of the range.
        counts: int64[t], occurrences of each; texts, places: uint32, those occurrences.
        free: int64[r], where the next occurrence of each merged term goes; moved on.
        merged_texts, merged_places: uint32, written.
    """
    at = np.int64(0)
    for term in range(ranks.size):
        to = free[ranks[term]]
        for _ in range(counts[term]):
            merged_texts[to] = texts[at]
            merged_places[to] = places[at]
            to += 1
            at += 1
        free[ranks[term]] = to


@kernel
def gather_bytes(data, starts, kept, out, ends):
    """Copy the strings with the numbers in `kept`, one after the other.

    Args:
        data: uint8[m]; starts: int64[n + 1], not descending, the last at most m.
        kept: int64[k], numbers below n.
        out: uint8[the bytes of all kept]; ends: uint64[k + 1]; both overwritten.

    Returns:
        The number of bytes, or -1 when the starts are not as they should be.
    """
    at = np.int64(0)
    for i in range(kept.size):
        ends[i] = at
        begin = np.int64(starts[kept[i]])
        end = np.int64(starts[kept[i] + 1])
        if begin > end or begin < 0 or end > data.size or at + end - begin > out.size:
            return -1
        for j in range(begin, end):
            out[at] = data[j]
            at += 1
    ends[kept.size] = at
    return at
