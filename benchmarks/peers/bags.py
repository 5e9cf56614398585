"""Two engines for bags of words, without fields, phrases or updates: bm25s with numba, and PISA, which gives ids only.

Words joined by OR are given as words; titles come from a list in memory, as with such engines they must.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib.metadata import version
from itertools import count
from typing import Any

import numpy as np
import Stemmer

from benchmarks.peers.archive import TEXTS
from benchmarks.peers.engine import Answer, Article, PythonEngine, hit_ids, library, wants_ids
from benchmarks.queries import Query

_ONE_OR_ANY = ("term_high", "term_mid", "term_low", "or_news", "or_stop")
_K1, _B = 1.2, 0.75


def _words(query: Query) -> str:
    return query.text.replace(" OR ", " ")


def _text(article: Article) -> str:
    return " ".join(article.get(name, "") for name in TEXTS)


class _Bag(PythonEngine):
    """Keeps id, title and source of each article beside the engine's files."""

    def _noting(self, articles: Iterable[Article]) -> Iterable[Article]:
        with (self._folder / "shown.jsonl").open("w", encoding="utf-8") as lines:
            for article in articles:
                shown = [article["id"], article.get("title", ""), article.get("source", "")]
                lines.write(json.dumps(shown, ensure_ascii=False) + "\n")
                yield article

    def _load_shown(self) -> None:
        with (self._folder / "shown.jsonl").open(encoding="utf-8") as lines:
            shown = [json.loads(line) for line in lines]
        self._ids, self._titles, self._sources = map(list, zip(*shown, strict=True))


class Bm25s(_Bag):
    classes = frozenset(
        (*_ONE_OR_ANY, "or_source", "top1000_ids", "top1000_titles", *(f"{name}_ids" for name in _ONE_OR_ANY))
    )

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self._bm25s = library("bm25s")
        library("numba")
        self.version = f"bm25s {version('bm25s')} with numba"

    def _tokenizer(self) -> Any:
        stem = Stemmer.Stemmer("english").stemWord
        return self._bm25s.tokenization.Tokenizer(stopwords=[], stemmer=stem, splitter=r"(?u)\b\w+\b")

    def build(self, articles: Iterable[Article]) -> None:
        self._folder.mkdir()
        tokenizer = self._tokenizer()
        texts = [_text(article) for article in self._noting(articles)]
        tokens = tokenizer.tokenize(texts, return_as="ids", show_progress=False)
        texts.clear()
        engine = self._bm25s.BM25(method="lucene", k1=_K1, b=_B)
        engine.index((tokens, tokenizer.get_vocab_dict()), show_progress=False)
        engine.save(self._folder / "index")
        tokenizer.save_vocab(self._folder / "index")

    def load(self) -> None:
        self._load_shown()
        self._engine = self._bm25s.BM25.load(self._folder / "index")
        self._engine.backend = "numba"
        self._asked = self._tokenizer()
        self._asked.load_vocab(self._folder / "index")
        sources = np.asarray(self._sources)
        self._masks = {source: (sources == source).astype(np.float32) for source in set(self._sources)}

    def asking(self, name: str, query: Query) -> Callable[[], object]:
        text, limit, ids, titles = _words(query), min(query.limit, len(self._ids)), self._ids, self._titles
        tokenize, retrieve = self._asked.tokenize, self._engine.retrieve
        mask = self._masks[query.where["source"]] if query.where else None

        def best() -> list[tuple[int, float]]:
            tokens = tokenize([text], update_vocab=False, return_as="ids", show_progress=False)
            numbers, scores = retrieve(tokens, k=limit, show_progress=False, n_threads=0, weight_mask=mask)
            # It fills up with articles that have none of the words.
            return [hit for hit in zip(numbers[0].tolist(), scores[0].tolist(), strict=True) if hit[1] > 0]

        if wants_ids(name):
            return lambda: [(ids[number], score) for number, score in best()]
        return lambda: [(ids[number], score, titles[number]) for number, score in best()]

    def answer(self, name: str, query: Query, got: Any) -> Answer:
        tokens = self._asked.tokenize([_words(query)], update_vocab=False, return_as="ids", show_progress=False)
        scores = self._engine.get_scores_from_ids(list(tokens[0]))
        if query.where:
            scores = scores * self._masks[query.where["source"]]
        return Answer(int(np.count_nonzero(scores > 0)), hit_ids(got))


class Pisa(_Bag):
    classes = frozenset(f"{name}_ids" for name in (*_ONE_OR_ANY, "and2", "and3"))

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self._pisa = library("pyterrier_pisa", "pyterrier_pisa")
        self.version = f"pyterrier_pisa {version('pyterrier_pisa')}"

    def _index(self) -> Any:
        return self._pisa.PisaIndex(
            str(self._folder / "index"), text_field="text", stemmer="porter2", stops="none", threads=1
        )

    def build(self, articles: Iterable[Article]) -> None:
        self._folder.mkdir()
        numbers = count()
        rows = ({"docno": str(next(numbers)), "text": _text(article)} for article in self._noting(articles))
        self._index().index(rows)

    def load(self) -> None:
        self._load_shown()
        self._retriever = self._index().bm25(k1=_K1, b=_B, num_results=10)

    def asking(self, name: str, query: Query) -> Callable[[], object]:
        # Its data-frame face costs a thousand times the search, so the call beneath it is made, into arrays kept.
        retrieve, context = self._pisa._pisathon.retrieve, self._retriever._ctxt
        asked, limit, ids = [(0, _words(query))], query.limit, self._ids
        algorithm = "block_max_ranked_and" if name.startswith("and") else "block_max_wand"
        if name.startswith("or") and len(asked[0][1].split()) > 3:
            algorithm = "block_max_maxscore"
        places, ranks = np.empty(limit, np.int32), np.empty(limit, np.int32)
        numbers, scores = np.empty(limit, object), np.empty(limit, np.float32)

        def best() -> object:
            found = retrieve(
                *(context, algorithm, asked),
                k=limit,
                threads=1,
                query_weighted=0,
                pretokenised=False,
                result_qidxs=places,
                result_docnos=numbers,
                result_ranks=ranks,
                result_scores=scores,
            )
            hits = zip(numbers[:found].tolist(), scores[:found].tolist(), strict=True)
            return [(ids[int(number)], score) for number, score in hits]

        return best

    def answer(self, name: str, query: Query, got: Any) -> Answer:
        return Answer(None, hit_ids(got))
