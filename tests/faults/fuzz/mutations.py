"""Bytes made from other bytes, as a fuzzer does."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

_NUMBERS = (0, 1, -1, 2, 127, 128, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63))
_LONGEST = 1 << 16


def mutated(seeds: Sequence[bytes], words: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of the seeds, changed in a few places; what is put in is often one of the words."""
    data = bytearray(chance.choice(seeds))
    if len(data) > 2000 and chance.random() < 0.5:  # small ones have their changes where they matter
        at = chance.randrange(len(data))
        data = data[at : at + chance.randrange(1, 2000)]
    for _ in range(chance.choice((1, 1, 2, 3, 5, 9))):
        at = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 2, 4, 8, 30))
        match chance.randrange(10):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = chance.randbytes(length)
            case 4:
                data[at : at + length] = struct.pack("<q", chance.choice(_NUMBERS))[: min(length, 8)]
            case 5:
                data[at:at] = data[at : at + length] * chance.choice((1, 2, 20))
            case 6:
                other = chance.choice(seeds)
                begin = chance.randrange(len(other) + 1)
                data[at : at + length] = other[begin : begin + chance.choice((4, 30, 200))]
            case 7 if chance.random() < 0.3:
                del data[at:]
            case _:
                data[at : at + chance.choice((0, 0, 0, length))] = chance.choice(words)
    return bytes(data[:_LONGEST])
