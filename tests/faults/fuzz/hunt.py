"""Runs targets on many cases; makes what fails small, and names it."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from tests.faults.fuzz.targets import Target

CORPUS = Path(__file__).parent / "corpus"
SECONDS = 2.0  # of processor time, which no case may take
_TRIES = 3000


@dataclass(frozen=True)
class Finding:
    """A case that fails, and how: the error and the line of ours that it comes from."""

    data: bytes
    what: str

    @property
    def name(self) -> str:
        return hashlib.blake2b(self.data, digest_size=6).hexdigest()


def outcome(target: Target, data: bytes) -> str | None:
    """Return what is wrong when the target takes these bytes; None is as it should be."""
    begun = process_time()
    try:
        target.run(data)
    except Exception as error:
        own = [one for one in traceback.extract_tb(error.__traceback__) if "newsindex" in one.filename]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
        return f"{type(error).__name__} in {place}: {error!s:.300}"
    seconds = process_time() - begun
    if seconds > SECONDS:  # once more: the first may have compiled
        begun = process_time()
        target.run(data)
        seconds = min(seconds, process_time() - begun)
    return f"slow: {seconds:.1f} s" if seconds > SECONDS else None


def hunt(target: Target, first: int, after: int) -> Iterator[Finding]:
    """Yield the cases from `first` on, to before `after`, that fail in ways not seen before, as small as can be."""
    seen = set()
    for number in range(first, after):
        data = target.case(number)
        what = outcome(target, data)
        if what is not None and _kind(what) not in seen:
            seen.add(_kind(what))
            yield smaller(target, Finding(data, what))


def smaller(target: Target, found: Finding) -> Finding:
    """Leave out pieces as long as it fails in the same way."""
    data, what, tries = found.data, found.what, 0
    size = len(data) // 2
    while size and tries < _TRIES:
        at = 0
        while at < len(data) and tries < _TRIES:
            tries += 1
            shorter = data[:at] + data[at + size :]
            now = outcome(target, shorter)
            if now is not None and _kind(now) == _kind(what):
                data, what = shorter, now
            else:
                at += size
        size //= 2
    return Finding(data, what)


def _kind(what: str) -> str:
    return what.split(": ", 1)[0]
