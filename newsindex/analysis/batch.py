"""Many texts to term numbers: the Python side of the compiled tokenizer."""

from __future__ import annotations

import copy
import functools
import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import Stemmer

from newsindex.analysis import LONGEST_TERM_BYTES, Analyzer, characters
from newsindex.analysis import tokenizer_kernel as kernel
from newsindex.analysis.boundaries import _ABBREVIATIONS
from newsindex.analysis.characters import compose, lookup
from newsindex.analysis.tokenizer_kernel import MARGIN, Characters, Dictionary, Output, rehash, tokenize_texts

__all__ = ["BatchTokenizer", "TokenBatch"]

_Number = TypeVar("_Number", bound=np.generic)
_CHUNK = 1 << 17  # characters at a time, so that memory stays bounded and the processor's cache holds them
_BLOCK = 256
_CODE_POINTS = 0x110000
_ZEROS = "\0" * MARGIN
_FLAGS = {
    characters.OTHER: 0,
    characters.LETTER: kernel.LETTER,
    characters.DIGIT: kernel.DIGIT,
    characters.IDEOGRAPH: kernel.IDEOGRAPH,
    characters.IGNORED: kernel.IGNORED,
    characters.APOSTROPHE: kernel.APOSTROPHE,
    characters.DOT: kernel.DOT,
    characters.COMMA: kernel.COMMA,
}
_ENDINGS = frozenset("\n\u2029.!?…؟।。！？｡")


@dataclass(frozen=True)
class TokenBatch:
    """The tokens of some texts, one after another; those of text i are `[starts[i], starts[i + 1])`.

    A token's term is `term_of_surface[surface_id]`, its position its index minus `starts[i]`. `boundaries` are 2 where
    a paragraph begins, 1 where a sentence begins, else 0. `long_words` counts the words of over 255 bytes.
    """

    surface_ids: npt.NDArray[np.uint32]
    boundaries: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    long_words: int


class BatchTokenizer:
    """Many texts to numbers of surfaces and terms; the dictionary grows from batch to batch.

    The words are those of `Analyzer.tokens`. `surfaces` holds the folded word of each surface number, `terms` the term
    of each term number, both in order of first appearance after the abbreviations, which come first whether they appear
    or not; `term_of_surface` (uint32) leads from one to the other. Not thread-safe: one for each thread.

    >>> tokenizer = BatchTokenizer(Analyzer("english"))
    >>> batch = tokenizer.tokenize(["Cities grow.", "A city"])
    >>> [tokenizer.terms[term] for term in tokenizer.term_of_surface[batch.surface_ids]], batch.starts.tolist()
    (['citi', 'grow', 'a', 'citi'], [0, 2, 4])
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self.surfaces: list[str] = []
        self.terms: list[str] = []
        self.term_of_surface: npt.NDArray[np.uint32] = np.zeros(0, np.uint32)
        # Each word is stemmed once: the cache of the analyzer's stemmer would cost more than the stemming.
        self._analyzer = copy.copy(analyzer)
        if analyzer.language in Stemmer.algorithms():
            self._analyzer.stem = Stemmer.Stemmer(analyzer.language, 0).stemWord
        self._term_ids: dict[str, int] = {}
        self._long: list[int] = []
        self._folds: list[int] = []
        self._widest = 1
        self._characters = Characters(
            entries=np.zeros(_CODE_POINTS, np.int64),
            folds=np.zeros(0, np.uint32),
            pair_keys=np.zeros(1 << 13, np.int64),
            pair_wholes=np.zeros(1 << 13, np.uint32),
            widest=self._widest,
            visible=np.zeros(0, np.uint32),
            visible_starts=np.zeros(0, np.uint32),
        )
        self._dictionary = Dictionary(
            arena=np.zeros(1 << 16, np.uint32),
            ends=np.zeros((1 << 12) + 2, np.int64),
            slots=np.zeros(1 << 14, np.int64),
            abbreviations=0,
            elisions=np.array([_packed(word) for word in sorted(analyzer._elisions)], np.int64),
        )
        self._state = np.zeros(kernel.STATES, np.int64)
        self._fill(0)
        self.tokenize(sorted(_ABBREVIATIONS))
        self._dictionary = self._dictionary._replace(abbreviations=len(self.surfaces))

    def tokenize(self, texts: Sequence[str]) -> TokenBatch:
        """Return the tokens of the texts; words not met before are added to the dictionary."""
        room = sum(map(len, texts))
        output = Output(np.empty(room, np.uint32), np.empty(room, np.uint8), np.zeros(len(texts) + 1, np.int64))
        self._state[kernel.TOKENS] = 0
        first = 0
        for chunk in _chunks(texts):
            self._run(chunk, output._replace(starts=output.starts[first:]))
            first += len(chunk)
        self._name_surfaces()
        count = int(self._state[kernel.TOKENS])
        surface_ids, boundaries, starts = output
        del output
        surface_ids.resize(count, refcheck=False)  # gives memory back without a copy
        boundaries.resize(count, refcheck=False)
        long_words = int(np.isin(surface_ids, self._long).sum()) if self._long else 0
        return TokenBatch(surface_ids, boundaries, starts, long_words)

    def _run(self, texts: Sequence[str], output: Output) -> None:
        codes, bounds = _encode(texts)
        state = self._state
        state[kernel.TEXT], state[kernel.READ] = 0, -1
        request = None
        while request != kernel.DONE:
            request = tokenize_texts(codes, bounds, self._characters, self._dictionary, output, state)
            need = int(state[kernel.NEED])
            if request == kernel.NEEDS_BLOCK:
                self._fill(need)
            elif request == kernel.NEEDS_PAIR:
                self._compose(need, int(state[kernel.PAIR]))
            elif request == kernel.NEEDS_ARENA:
                arena = _enlarged(self._dictionary.arena, max(need, 2 * self._dictionary.arena.size))
                self._dictionary = self._dictionary._replace(arena=arena)
            elif request == kernel.NEEDS_SLOTS:
                slots = np.zeros(2 * self._dictionary.slots.size, np.int64)
                rehash(self._dictionary.slots, slots)
                ends = _enlarged(self._dictionary.ends, slots.size // 4 + 2)
                self._dictionary = self._dictionary._replace(slots=slots, ends=ends)
            elif request == kernel.NEEDS_SCRATCH:
                places = np.zeros((2, 2 * need), np.uint32)
                self._characters = self._characters._replace(visible=places[0], visible_starts=places[1])

    def _fill(self, code: int) -> None:
        """Fill the block of entries in which a code point stands."""
        if self._characters.entries[code]:
            return
        first = code - code % _BLOCK
        block = [self._entry(chr(code)) for code in range(first, first + _BLOCK)]
        self._characters.entries[first : first + _BLOCK] = block
        if len(self._folds) > self._characters.folds.size:
            folds = np.array(self._folds, np.uint32)
            self._characters = self._characters._replace(folds=folds, widest=self._widest)

    def _entry(self, character: str) -> int:
        kind, folded = lookup(character)
        entry: int = kernel.KNOWN | _FLAGS[kind]
        if len(folded) > 1:
            entry |= kernel.MULTI | len(self._folds)
            self._widest = max(self._widest, len(folded))
            self._folds += [len(folded), *map(ord, folded)]
        elif folded:
            entry |= ord(folded) | kernel.ALPHA * folded.isalpha() | kernel.SIMPLE * (kind == characters.LETTER)
        entry |= kernel.SPACE * character.isspace()
        entry |= kernel.LOWER * character.islower()
        entry |= kernel.ENDING * (character in _ENDINGS)
        entry |= kernel.COMPOSES * (kind in (characters.IDEOGRAPH, characters.IGNORED) and _composes(character))
        return entry

    def _compose(self, slot: int, pair: int) -> None:
        """Put what two characters make together into the cache."""
        first, second = chr(pair >> 21), chr(pair & kernel.FOLDED)
        whole = compose(lookup(first)[1], second)
        if whole:
            self._fill(ord(whole))
        self._characters.pair_keys[slot] = pair
        self._characters.pair_wholes[slot] = ord(whole) if whole else 0

    def _name_surfaces(self) -> None:
        """Make the strings of the new surfaces, and their terms."""
        known, count = len(self.surfaces), int(self._state[kernel.SURFACES])
        ends = self._dictionary.ends[known : count + 1]
        letters = self._dictionary.arena[ends[0] : ends[-1]].astype("<u4").tobytes().decode("utf-32-le")
        places = (ends - ends[0]).tolist()
        new = [letters[start:end] for start, end in itertools.pairwise(places)]
        numbers = []
        for term in map(self._analyzer.term, new):
            number = self._term_ids.setdefault(term, len(self.terms))
            if number == len(self.terms):
                self.terms.append(term)
            numbers.append(number)
        self.term_of_surface = np.concatenate([self.term_of_surface, np.array(numbers, np.uint32)])
        self.surfaces += new
        self._long += [
            surface
            for surface, word in enumerate(new, known)
            if 4 * len(word) > LONGEST_TERM_BYTES and len(word.encode()) > LONGEST_TERM_BYTES
        ]


def _packed(word: str) -> int:
    """Return a short word of ASCII as the kernel packs it."""
    return functools.reduce(lambda packed, letter: packed << 7 | letter, word.encode("ascii"), 0)


def _composes(character: str) -> bool:
    """Tell whether a character may make one letter with the one before it: marks do, and the later parts of Hangul."""
    return unicodedata.category(character)[0] == "M" or "\u1161" <= character <= "\u11ff"


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the texts in runs that are just over the size of a chunk."""
    first = size = 0
    for place, text in enumerate(texts, 1):
        size += len(text)
        if size >= _CHUNK or place == len(texts):
            yield texts[first:place]
            first, size = place, 0


def _encode(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return the code points of the texts with margins, and where each text begins."""
    joined = f"{_ZEROS}{_ZEROS.join(texts)}{_ZEROS}"
    if joined.isascii():
        codes = np.frombuffer(joined.encode("ascii"), np.uint8).astype(np.uint32)
    else:
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)
    bounds = np.full(len(texts) + 1, MARGIN, np.int64)
    np.cumsum([len(text) + MARGIN for text in texts], out=bounds[1:])
    bounds[1:] += MARGIN
    return codes, bounds


def _enlarged(array: npt.NDArray[_Number], size: int) -> npt.NDArray[_Number]:
    larger = np.zeros(size, array.dtype)
    larger[: array.size] = array
    return larger
