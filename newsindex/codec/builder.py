"""A segment in the making: articles go in one by one, their text is analysed and compressed while the next come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Set
from concurrent.futures import Future
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from newsindex.analysis.batch import JoinedTexts
from newsindex.codec.columns import ArticleColumns
from newsindex.codec.inversion import SortedTexts, TermSorter, TextChunk, Vocabulary
from newsindex.codec.stored import PackedArticles, pack_articles
from newsindex.codec.workers import Shared, Workers, in_turn, started
from newsindex.codec.writer import encode_columns
from newsindex.schema import PreparedArticles, Schema

__all__ = ["SegmentBuilder"]

# Bytes of stored articles that are analysed and compressed together; fewer in all are not worth a thread.
_CHUNK_BYTES = 2 * 1024 * 1024
_SMALL_BYTES = 256 * 1024
# Chunks that wait for a thread before the caller takes its part, and before it must wait too.
_WAITING = 2
_MOST_WAITING = 6
# Each token takes some 15 bytes while the segment is encoded.
_SEGMENT_TOKENS = 20 * 1024 * 1024
_SEGMENT_BYTES = 128 * 1024 * 1024


class SegmentBuilder:
    """Articles for one segment.

    They wait until they fill a chunk; then `flush` gives them their numbers and hands them to the threads. What is
    removed before that was never there; what is removed later is in the segment, but `live` says that it is dead.
    """

    def __init__(self, schema: Schema, workers: Workers) -> None:
        self._schema = schema
        self._workers = workers
        self._waiting = PreparedArticles()
        self._places: dict[str, int] = {}  # of what waits
        self._numbers: dict[str, int] = {}
        self._columns = ArticleColumns(schema)
        self._sorter = TermSorter(len(schema.text_fields))
        self._texts: deque[Future[TextChunk]] = deque()
        self._packed: deque[Shared[PackedArticles]] = deque()
        self._tokens = 0
        self._flushed_bytes = 0
        self.waiting_bytes = 0
        self._dead_bytes = 0  # of what was removed again while it waited, which is there until the next chunk
        self.long_words: list[int] = []
        """Of each chunk, once `chunks` is through, the number of words too long to be kept whole."""

    def __len__(self) -> int:
        """Return the number of articles, dead ones included."""
        return self._columns.count + len(self._places)

    def __contains__(self, article_id: str) -> bool:
        """Tell whether an article is here, and alive."""
        return article_id in self._places or article_id in self._numbers

    def has_any(self, ids: Set[str]) -> bool:
        """Tell whether one of the articles is here, and alive."""
        # Not the other way round: a set goes through all of a dict.
        return not (self._places.keys().isdisjoint(ids) and self._numbers.keys().isdisjoint(ids))

    def digest(self, article_id: str) -> bytes:
        """Return the digest of an article that is here."""
        if article_id in self._places:
            return self._waiting[self._places[article_id]].digest
        return self._columns.digests[self._numbers[article_id]]

    def add(self, articles: PreparedArticles, first: int, after: int) -> int:
        """Add articles from `first` on, whose ids are not here, up to `after` or till a chunk is full; return where."""
        size = self.waiting_bytes + self._dead_bytes
        for end, stored in enumerate(articles.stored[first:after], first + 1):
            size += len(stored)
            if size >= _CHUNK_BYTES:
                after = end
                break
        self.waiting_bytes = size - self._dead_bytes
        taken = articles.among(first, after)
        begin = len(self._waiting)
        self._places.update(zip(taken.ids, range(begin, begin + len(taken)), strict=True))
        self._waiting.extend(taken)
        return after

    def remove(self, article_id: str) -> None:
        """Remove an article that is here."""
        place = self._places.pop(article_id, None)
        if place is None:
            del self._numbers[article_id]
        else:
            size = len(self._waiting.stored[place])
            self.waiting_bytes -= size
            self._dead_bytes += size

    @property
    def has_chunk(self) -> bool:
        """Whether enough articles wait for a chunk."""
        return self.waiting_bytes + self._dead_bytes >= _CHUNK_BYTES

    @property
    def is_full(self) -> bool:
        """Whether the segment has its size."""
        return self._flushed_bytes >= _SEGMENT_BYTES or self._tokens >= _SEGMENT_TOKENS

    @property
    def is_half_full(self) -> bool:
        """Whether it has half of its size."""
        return 2 * self._flushed_bytes >= _SEGMENT_BYTES or 2 * self._tokens >= _SEGMENT_TOKENS

    def flush(self) -> bool:
        """Take the waiting articles as a chunk, wait while too many chunks are waiting; tell whether there were any."""
        articles, places = self._waiting, self._places
        self._waiting, self._places = PreparedArticles(), {}
        self._dead_bytes = 0
        if len(places) < len(articles):
            articles = articles.without(set(range(len(articles))) - set(places.values()))
        if not len(articles):
            return False
        texts = [articles.columns.get(name) or [""] * len(articles) for name in self._schema.text_fields]
        in_order = [text or "" for texts_of_one in zip(*texts, strict=True) for text in texts_of_one]
        first = self._columns.count
        self._columns.extend(articles)
        self._numbers.update(zip(articles.ids, range(first, first + len(articles)), strict=True))
        if self.waiting_bytes >= _SMALL_BYTES:
            self._workers.start()
        self._flushed_bytes += self.waiting_bytes
        self.waiting_bytes = 0
        self._texts.append(started(self._workers.tokenizing, self._tokenized, JoinedTexts.of(in_order), not first))
        self._packed.append(Shared(self._workers.sharing, pack_articles, articles.stored))
        self._keep_pace()
        return True

    def _keep_pace(self) -> None:
        """Take a part of the work where there is too much for the threads, and wait when it is more yet."""
        if sum(not texts.done() for texts in self._texts) > _WAITING:
            any(packed.take() for packed in self._packed)
        if len(self._texts) > _MOST_WAITING:
            self._texts[-_MOST_WAITING - 1].result()
            self._packed[-_MOST_WAITING - 1].result()

    def living_ids(self) -> Iterable[str]:
        """Return the ids of the numbered articles that are alive."""
        return self._numbers.keys()

    def live(self) -> npt.NDArray[np.bool_]:
        """Return which of the numbered articles are alive."""
        alive = np.zeros(self._columns.count, bool)
        alive[np.fromiter(self._numbers.values(), np.int64, len(self._numbers))] = True
        return alive

    def chunks(self) -> Iterator[memoryview]:
        """Yield the chunks of the body of the segment; to be called once, when all articles have been flushed."""
        texts = started(self._workers.tokenizing, self._sorted)
        return encode_columns(self._schema, self._columns, in_turn(self._packed), texts.result, self._workers.sharing)

    def cancel(self) -> None:
        """Let the threads leave out what they have not begun."""
        for futures in (self._texts, self._packed):
            with suppress(IndexError):  # a thread may be taking them too
                while True:
                    futures.pop().cancel()

    def _tokenized(self, texts: JoinedTexts, is_first: bool) -> TextChunk:
        tokenizer = self._workers.tokenizer(fresh=is_first)
        batch = tokenizer.tokenize(texts)
        self._tokens += batch.surface_ids.size
        return self._sorter.chunk(batch, tokenizer.term_of_surface, len(tokenizer.terms))

    def _sorted(self) -> SortedTexts:
        """Return all texts sorted, by the thread that has just made the last of them."""
        chunks = []
        while self._texts:
            chunks.append(self._texts.popleft().result())
            self.long_words.append(chunks[-1].long_words)
        tokenizer = self._workers.tokenizer()
        # In copies: the tokenizer goes on.
        known = Vocabulary(
            tokenizer.term_of_surface.copy(),
            tuple(tokenizer.terms),
            tuple(tokenizer.surfaces),
            bytes(tokenizer.stemmed),
        )
        return SortedTexts.of(chunks, self._sorter, known, self._workers.sharing)
