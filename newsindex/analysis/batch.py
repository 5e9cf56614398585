"""Many texts to term numbers: the Python side of the compiled tokenizer."""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import ne
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import Stemmer

from newsindex.analysis import LONGEST_TERM_BYTES, Analyzer, characters
from newsindex.analysis import extent_kernel as shapes
from newsindex.analysis import tokenizer_kernel as kernel
from newsindex.analysis.boundaries import ABBREVIATIONS
from newsindex.analysis.characters import compose, lookup
from newsindex.analysis.layout_kernel import PADDING, Layout
from newsindex.analysis.tokenizer_kernel import (
    PACKED,
    Characters,
    Dictionary,
    Output,
    rehash,
    tokenize_texts,
)

__all__ = ["BatchTokenizer", "JoinedTexts", "TokenBatch"]

_Number = TypeVar("_Number", bound=np.generic)
_LAID_OUT = 1 << 15  # characters at a time, which the processor's cache holds, if no text is longer
_MOST_KEPT = 1 << 23  # bytes of texts for which memory is kept
_BLOCK = 256
_CODE_POINTS = 0x110000
_SHAPES = {
    characters.OTHER: shapes.BETWEEN,
    characters.LETTER: shapes.WIDE | shapes.LETTER,
    characters.DIGIT: shapes.WIDE | shapes.DIGIT,
    characters.IDEOGRAPH: shapes.WIDE | shapes.IDEOGRAPH,
    characters.IGNORED: shapes.BETWEEN | shapes.SPECIAL,
    characters.APOSTROPHE: shapes.BETWEEN | shapes.APOSTROPHE,
    characters.DOT: shapes.BETWEEN | shapes.DOT,
    characters.COMMA: shapes.BETWEEN | shapes.COMMA,
}
_ENDINGS_ALONE = frozenset("\u2029。！？｡")
_ENDINGS = frozenset("\n.!?…؟।") | _ENDINGS_ALONE
_OUTPUT = Output(np.empty(0, np.uint32), np.empty(0, np.uint8), np.empty(0, np.int64))
_PERHAPS_LONG = 48  # letters: such a word, or its stem, may have more bytes than a term


class JoinedTexts(NamedTuple):
    """Some texts in UTF-8, one after the other, and how many bytes each has.

    >>> JoinedTexts.of(["one", "zwölf"])
    JoinedTexts(data=b'onezw\\xc3\\xb6lf', lengths=[3, 6])
    """

    data: bytes
    lengths: list[int]

    @classmethod
    def of(cls, texts: Sequence[str]) -> JoinedTexts:
        """Join texts."""
        if all(map(str.isascii, texts)):
            return cls("".join(texts).encode(), list(map(len, texts)))
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        return cls(b"".join(encoded), list(map(len, encoded)))


@dataclass(frozen=True)
class TokenBatch:
    """The tokens of some texts, one after another; those of text i are `[starts[i], starts[i + 1])`.

    A token's term is `term_of_surface[surface_id]`, its position its index minus `starts[i]`. `boundaries` are 2 where
    a paragraph begins, 1 where a sentence begins, else 0. `long_words` counts the words of over 255 bytes.
    All of it is overwritten with the tokens of the next texts.
    """

    surface_ids: npt.NDArray[np.uint32]
    boundaries: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    long_words: int


class BatchTokenizer:
    """Many texts to numbers of surfaces and terms; the dictionary grows from batch to batch.

    The words are those of `Analyzer.tokens`. `surfaces` holds the folded word of each surface number, `terms` the term
    of each term number, both in order of first appearance after the abbreviations, which come first whether they appear
    or not; `term_of_surface` (uint32) leads from one to the other, `stemmed` has 1 for each surface that is not its
    term, else 0. Not thread-safe: one for each thread.

    >>> tokenizer = BatchTokenizer(Analyzer("english"))
    >>> batch = tokenizer.tokenize(["Cities grow.", "A city"])
    >>> [tokenizer.terms[term] for term in tokenizer.term_of_surface[batch.surface_ids]], batch.starts.tolist()
    (['citi', 'grow', 'a', 'citi'], [0, 2, 4])
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self.surfaces: list[str] = []
        self.terms: list[str] = []
        self.term_of_surface: npt.NDArray[np.uint32] = np.zeros(0, np.uint32)
        self.stemmed = bytearray()
        self._analyzer = analyzer
        # Each word is stemmed once: the cache of the analyzer's stemmer would cost more than the stemming.
        stems = analyzer.language in Stemmer.algorithms()
        self._stem: Callable[[list[str]], list[str]] = (
            Stemmer.Stemmer(analyzer.language, 0).stemWords if stems else list
        )
        self._term_ids: defaultdict[str, int] = defaultdict(itertools.count().__next__)
        self._numbers = self.term_of_surface
        self._long: list[int] = []
        self._folds: list[int] = []
        self._widest = 1
        self._characters = Characters(
            shapes=np.zeros(_CODE_POINTS, np.uint8),
            entries=np.zeros(_CODE_POINTS, np.int32),
            folds=np.zeros(1, np.uint32),
            pair_keys=np.zeros(1 << 13, np.int64),
            pair_wholes=np.zeros(1 << 13, np.uint32),
            widest=self._widest,
            visible=np.zeros(0, np.uint32),
            visible_starts=np.zeros(0, np.int64),
        )
        self._dictionary = Dictionary(
            arena=np.zeros(1 << 10, np.uint32),
            keys=np.zeros(1 << 13, np.int64),
            slots=np.zeros(1 << 13, np.int64),
            abbreviations=0,
            elisions=np.array([_key(word) for word in sorted(analyzer._elisions)], np.int64),
        )
        self._layout = _layout(_LAID_OUT)
        self._output = _OUTPUT
        self._state = np.zeros(kernel.STATES, np.int64)
        self._state[kernel.ARENA_USED] = 1  # so that no word begins at 0
        self._fill(0)
        self.tokenize(sorted(ABBREVIATIONS))
        self._dictionary = self._dictionary._replace(abbreviations=len(self.surfaces))

    def tokenize(self, texts: Sequence[str] | JoinedTexts) -> TokenBatch:
        """Return the tokens of the texts; words not met before are added to the dictionary."""
        data, lengths = texts if isinstance(texts, JoinedTexts) else JoinedTexts.of(texts)
        ends = np.fromiter(itertools.accumulate(lengths, initial=0), np.int64, len(lengths) + 1)
        # The same memory again and again: the system takes longer to give new one than the words to be written.
        if len(data) > self._output.boundaries.size:
            self._output = self._output._replace(
                surface_ids=np.empty(len(data), np.uint32), boundaries=np.empty(len(data), np.uint8)
            )
        output = self._output._replace(starts=np.empty(len(lengths) + 1, np.int64))
        output.starts[0] = 0
        self._run(np.frombuffer(data, np.uint8), ends, output)
        self._name_surfaces()
        count = int(self._state[kernel.TOKENS])
        surface_ids, boundaries = output.surface_ids[:count], output.boundaries[:count]
        long_words = int(np.isin(surface_ids, self._long).sum()) if self._state[kernel.LONGS] and self._long else 0
        if len(data) > _MOST_KEPT:
            self._layout, self._output = _layout(_LAID_OUT), _OUTPUT
        return TokenBatch(surface_ids, boundaries, output.starts, long_words)

    def _run(self, data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], output: Output) -> None:
        state = self._state
        state[[kernel.LAID, kernel.TEXT, kernel.TOKENS, kernel.LONGS]], state[kernel.READ] = 0, -1
        # Called once as a rule: between two calls the interpreter would be asked for, and another thread has it.
        bounds = np.empty(ends.size, np.int64)
        request = None
        while request != kernel.DONE:
            layout = self._layout._replace(bounds=bounds)
            request = tokenize_texts(data, ends, layout, self._characters, self._dictionary, output, state)
            need = int(state[kernel.NEED])
            if request == kernel.NEEDS_LAYOUT:
                self._layout = _layout(-need)
            elif request == kernel.NEEDS_SHAPES:
                self._fill(need)
            elif request == kernel.NEEDS_PAIR:
                self._compose(need, int(state[kernel.PAIR]))
            elif request == kernel.NEEDS_ARENA:
                arena = _enlarged(self._dictionary.arena, max(need, 2 * self._dictionary.arena.size))
                self._dictionary = self._dictionary._replace(arena=arena)
            elif request == kernel.NEEDS_SLOTS:
                slots = np.zeros(2 * self._dictionary.slots.size, np.int64)
                rehash(self._dictionary.keys, int(state[kernel.SURFACES]), slots)
                keys = _enlarged(self._dictionary.keys, slots.size)
                self._dictionary = self._dictionary._replace(slots=slots, keys=keys)
            elif request == kernel.NEEDS_SCRATCH:
                visible, starts = np.zeros(2 * need, np.uint32), np.zeros(2 * need, np.int64)
                self._characters = self._characters._replace(visible=visible, visible_starts=starts)

    def _fill(self, code: int) -> None:
        """Fill the block of shapes and entries in which a code point stands."""
        if self._characters.shapes[code]:
            return
        first = code - code % _BLOCK
        for place in range(first, first + _BLOCK):
            self._characters.shapes[place], self._characters.entries[place] = self._shape_and_entry(chr(place))
        if len(self._folds) > self._characters.folds.size:
            folds = np.array(self._folds, np.uint32)
            self._characters = self._characters._replace(folds=folds, widest=self._widest)

    def _shape_and_entry(self, character: str) -> tuple[int, int]:
        kind, folded = lookup(character)
        shape = _SHAPES[kind]
        entry = shapes.SPACE * character.isspace() | shapes.LOWER * character.islower()
        if len(folded) > 1:
            entry |= shapes.MULTI | len(self._folds)
            self._widest = max(self._widest, len(folded))
            self._folds += [len(folded), *map(ord, folded)]
        elif folded:
            entry |= ord(folded) | shapes.ALPHA * folded.isalpha()
            if kind == characters.LETTER:
                shape = ord(folded) if "a" <= folded <= "z" else shape | shapes.ONE
            elif kind == characters.DIGIT:
                shape = ord(folded)
        if character in _ENDINGS:
            shape |= shapes.ENDING | shapes.ENDS_ALONE * (character in _ENDINGS_ALONE)
        if _composes(character) and kind == characters.IDEOGRAPH:
            shape |= shapes.SPECIAL
        elif _composes(character) and kind == characters.IGNORED:
            shape |= shapes.MARK
        return shape, entry

    def _compose(self, slot: int, pair: int) -> None:
        """Put what two characters make together into the cache."""
        first, second = chr(pair >> 21), chr(pair & shapes.FOLDED)
        whole = compose(lookup(first)[1], second)
        if whole:
            self._fill(ord(whole))
        self._characters.pair_keys[slot] = pair
        self._characters.pair_wholes[slot] = ord(whole) if whole else 0

    def _name_surfaces(self) -> None:
        """Make the strings of the new surfaces, and their terms."""
        known, count = len(self.surfaces), int(self._state[kernel.SURFACES])
        if known == count:
            return
        keys = self._dictionary.keys[2 * known : 2 * count].reshape(-1, 2)
        wide = keys[:, 0] < 0
        lines = np.full((len(keys), PACKED + 1), ord("\n"), np.uint8)
        lines[:, :PACKED] = np.where(wide[:, None], 0, keys).view(np.uint8)
        new = lines[lines != 0].tobytes().decode().split("\n")[:-1]  # faster than one by one
        lengths = np.where(wide, ~keys[:, 0] >> 32, 0)
        for place in np.flatnonzero(wide).tolist():
            start = int(keys[place, 1])
            letters = self._dictionary.arena[start : start + int(lengths[place])]
            new[place] = letters.tobytes().decode("utf-32-le")
        terms = self._stem(new)
        for place in np.flatnonzero(lengths > _PERHAPS_LONG).tolist():
            terms[place] = self._analyzer.term(new[place])
            if len(new[place].encode()) > LONGEST_TERM_BYTES:
                self._long.append(known + place)
        self.surfaces += new
        self.stemmed += bytes(map(ne, new, terms))
        self._number_terms(terms)

    def _number_terms(self, terms: list[str]) -> None:
        """Give numbers to the terms of new surfaces."""
        known, count = len(self.terms), len(self.surfaces)
        numbers = np.fromiter(map(self._term_ids.__getitem__, terms), np.uint32, len(terms))
        self.terms += list(itertools.islice(reversed(self._term_ids), len(self._term_ids) - known))[::-1]
        if count > self._numbers.size:
            self._numbers = _enlarged(self._numbers, 2 * count)
        self._numbers[count - len(terms) : count] = numbers
        self.term_of_surface = self._numbers[:count]


def _layout(size: int) -> Layout:
    shapes = np.empty(size + PADDING, np.uint8)
    eights = np.ndarray(shapes.size - 7, np.int64, shapes, strides=(1,))
    return Layout(np.empty(size, np.uint32), shapes, eights, np.empty(0, np.int64))


def _key(word: str) -> int:
    """Return the key of a word of up to eight letters of ASCII."""
    return int.from_bytes(word.encode("ascii"), "little")


def _composes(character: str) -> bool:
    """Tell whether a character may make one letter with the one before it: marks do, and the later parts of Hangul."""
    return unicodedata.category(character)[0] == "M" or "\u1161" <= character <= "\u11ff"


def _enlarged(array: npt.NDArray[_Number], size: int) -> npt.NDArray[_Number]:
    larger = np.zeros(size, array.dtype)
    larger[: array.size] = array
    return larger
