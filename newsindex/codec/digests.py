"""By what an article is recognised when it comes again: the digests of many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsindex.codec.digest_kernel import BLOCK_BYTES, LANE_WORDS, first_digests

__all__ = ["digests_of"]

# What follows a text of so many bytes more than whole blocks.
_ZEROS = [bytes(-length % BLOCK_BYTES) for length in range(BLOCK_BYTES)]


def digests_of(stored: Sequence[bytes]) -> bytes:
    """Return the first bytes of the digests of stored articles, joined.

    >>> import hashlib
    >>> digests_of([b"one", b"two"])[8:] == hashlib.blake2b(b"two", digest_size=16).digest()[:8]
    True
    """
    lengths = np.fromiter(map(len, stored), np.int64, len(stored))
    sizes = -(-lengths // BLOCK_BYTES) * BLOCK_BYTES
    data = b"".join([part for article in stored for part in (article, _ZEROS[len(article) % BLOCK_BYTES])])
    out = np.empty(len(stored) + LANE_WORDS, np.uint64)
    order = np.argsort(sizes, kind="stable")
    first_digests(np.frombuffer(data, np.uint8), np.cumsum(sizes) - sizes, lengths, order, out)
    return out[: len(stored)].tobytes()
