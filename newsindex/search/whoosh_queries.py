"""The Whoosh query nodes that the query tree needs and Whoosh does not have, or has with faults."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from newsindex.codec.reader import SegmentReader, TermInfo
from newsindex.search.deadline import Deadline
from newsindex.search.snapshot import Snapshot
from newsindex.store.live import LiveSegment
from newsindex.whoosh_door import matching, query

__all__ = ["AllOf", "AnyOf", "Chosen", "NextToEachOther", "Without"]

_Array = npt.NDArray[Any]


class _Node(query.Query):  # type: ignore[misc]
    """A query of our own, as far as a searcher asks for one; Whoosh's rewriting of queries is not used."""

    boost = 1.0
    deadline: Deadline

    def is_leaf(self) -> bool:
        """Return true: what is inside is nobody's business."""
        return True

    def estimate_size(self, reader: Any) -> int:
        """Return at least the number of articles that match."""
        return int(reader.doc_count_all())

    def estimate_min_size(self, reader: Any) -> int:
        """Return at most the number of articles that match."""
        return 0


class Chosen(_Node):
    """Articles that a function of their segment chooses, a bool for each; all score the same.

    Whoosh's ConstantScoreQuery and Every take a score of 0 for 1, its ranges overflow at the edge of 64 bits, and a
    range without its lower end finds everything.
    """

    def __init__(
        self, choose: Callable[[LiveSegment], _Array], snapshot: Snapshot, deadline: Deadline, score: float = 0.0
    ) -> None:
        self._choose = choose
        self._snapshot = snapshot
        self.deadline = deadline
        self._score = score

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return a matcher over the articles that live."""
        self.deadline.check()
        segment = self._snapshot.segment_of(searcher)
        if segment is None:
            return matching.NullMatcher()
        docs = np.flatnonzero(self._choose(segment) & segment.live).tolist()
        return _Found(docs, [self._score] * len(docs))


class NextToEachOther(_Node):
    """Articles with the terms one after the other in a field; the score is the sum of the terms' scores.

    Whoosh's Phrase makes a matcher for each word and compares positions article by article.
    """

    def __init__(self, name: str, terms: Sequence[str], boost: float, snapshot: Snapshot, deadline: Deadline) -> None:
        self._name = name
        self._terms = terms
        self._factor = boost
        self._snapshot = snapshot
        self.deadline = deadline

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return a matcher over the articles that live."""
        segment = self._snapshot.segment_of(searcher)
        if segment is None:
            return matching.NullMatcher()
        docs = self._docs(segment)
        if not docs or (context is not None and context.weighting is None):
            return _Found(docs, [0.0] * len(docs))
        scores = np.zeros(len(docs))
        for term in dict.fromkeys(self._terms):
            postings = searcher.postings(self._name, term)
            times = self._factor * self._terms.count(term)
            for place, doc in enumerate(self.deadline.over(docs)):
                postings.skip_to(doc)
                scores[place] += times * postings.score()
        return _Found(docs, scores.tolist())

    def _docs(self, segment: LiveSegment) -> list[int]:
        reader = segment.reader
        field = reader.schema.text_fields.index(self._name)
        found: dict[str, TermInfo] = {}
        for term in self._terms:
            info = found.get(term) or reader.find(term.encode())
            if info is None or not info.fields >> field & 1:
                return []
            found[term] = info
        places: dict[str, _Array] = {}
        begins: _Array | None = None
        # The rarest first: from then on there are never more places than it has.
        for offset, term in sorted(enumerate(self._terms), key=lambda pair: found[pair[1]].position_count):
            self.deadline.check()
            if term not in places:
                places[term] = _places(reader, found[term], field)
            begins = places[term] - offset if begins is None else begins[_are_in(begins + offset, places[term])]
            if not begins.size:
                return []
        assert begins is not None
        docs = np.unique(begins >> 32)
        kept: list[int] = docs[segment.live[docs]].tolist()
        return kept


class AllOf(_Node):
    """What all queries find, at the sum of their scores.

    Whoosh's And makes a chain of its matchers, which overflows the stack when they are many.
    """

    def __init__(self, queries: list[Any], deadline: Deadline) -> None:
        self._queries = queries
        self.deadline = deadline

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return a balanced tree of matchers, or one that is over when a part finds nothing."""
        matchers = []
        for part in self._queries:
            self.deadline.check()
            matchers.append(part.matcher(searcher, context))
            if not matchers[-1].is_active():
                return matching.NullMatcher()
        return _balanced(matching.IntersectionMatcher, matchers)


class AnyOf(_Node):
    """What at least one of the queries finds, at the sum of the scores.

    Whoosh's Or, on a small index, preloads scores and takes an article that scores 0 for one that does not match.
    """

    def __init__(self, queries: list[Any], deadline: Deadline) -> None:
        self._queries = queries
        self.deadline = deadline

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return a balanced tree of the matchers that find something."""
        matchers = []
        for part in self._queries:
            self.deadline.check()
            matcher = part.matcher(searcher, context)
            if matcher.is_active():
                matchers.append(matcher)
        return _balanced(matching.UnionMatcher, matchers) if matchers else matching.NullMatcher()


class Without(_Node):
    """What one query finds and the other does not.

    Whoosh's AndNot keeps its first article when the excluded ones begin before it.
    """

    def __init__(self, wanted: Any, unwanted: Any, deadline: Deadline) -> None:
        self._wanted = wanted
        self._unwanted = unwanted
        self.deadline = deadline

    def matcher(self, searcher: Any, context: Any = None) -> Any:
        """Return the matcher of what is wanted, without the articles that are not."""
        matcher = self._unwanted.matcher(searcher, searcher.boolean_context())
        unwanted = frozenset(self.deadline.over(matcher.all_ids()))
        wanted = self._wanted.matcher(searcher, context)
        return matching.FilterMatcher(wanted, unwanted, exclude=True) if unwanted else wanted


class _Found(matching.Matcher):  # type: ignore[misc]
    """Goes through articles with their scores; Whoosh's ListMatcher takes a score of 0 for 1 and skips by steps."""

    def __init__(self, docs: list[int], scores: list[float], at: int = 0) -> None:
        self._docs = docs
        self._scores = scores
        self._at = at

    def is_active(self) -> bool:
        return self._at < len(self._docs)

    def reset(self) -> None:
        self._at = 0

    def copy(self) -> _Found:
        return _Found(self._docs, self._scores, self._at)

    def id(self) -> int:
        return self._docs[self._at]

    def all_ids(self) -> Iterator[int]:
        return iter(self._docs)

    def next(self) -> None:
        self._at += 1

    def skip_to(self, id: int) -> None:
        self._at = bisect_left(self._docs, id, lo=self._at)

    def weight(self) -> float:
        return self._scores[self._at]

    def score(self) -> float:
        return self._scores[self._at]

    def supports_block_quality(self) -> bool:
        return False


def _balanced(join: Callable[[Any, Any], Any], matchers: list[Any]) -> Any:
    if len(matchers) == 1:
        return matchers[0]
    half = len(matchers) // 2
    return join(_balanced(join, matchers[:half]), _balanced(join, matchers[half:]))


def _places(reader: SegmentReader, info: TermInfo, field: int) -> _Array:
    """Return where a term stands in a field, ascending: the article's number in the high half, the position below."""
    docs, freqs = reader.postings(info)
    gaps = reader.position_gaps(info)
    counts = freqs.T.astype(np.int64).ravel()
    begins = np.cumsum(counts) - counts
    if int(counts.sum()) != gaps.size:
        raise reader.damage(f"term {info.number} has {gaps.size} positions and a frequency of {counts.sum()}")
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(gaps, dtype=np.int64)])
    positions = sums[1:] - np.repeat(sums[begins], counts)
    runs = np.repeat(np.arange(counts.size), counts)
    fields = freqs.shape[0]
    mine = runs % fields == field
    own: _Array = (docs.astype(np.int64)[runs[mine] // fields] << 32) + positions[mine]
    return own


def _are_in(wanted: _Array, ascending: _Array) -> _Array:
    at = np.searchsorted(ascending, wanted)
    same: _Array = ascending[np.minimum(at, ascending.size - 1)] == wanted
    return same
