"""Any order of adding, deleting, committing, rolling back, merging, reopening and crashing: as a dict would."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import newsindex
from newsindex.codec import builder
from newsindex.errors import IndexLocked
from newsindex.index import NewsIndex
from newsindex.indexer import Writer
from newsindex.results import Results
from newsindex.store import merge_policy
from tests.faults.figures import Figures
from tests.faults.index_workload import SECTIONS, WORDS, State, article, check_articles, check_words, section
from tests.faults.test_kill import FULL

SEQUENCES = 1000 if FULL else 20
STEPS = 75  # at most; some 50 on average
IDS = st.sampled_from([f"a{number}" for number in range(14)])
VERSIONS = st.integers(0, 3)
ARTICLES = st.lists(st.tuples(IDS, VERSIONS), max_size=6)
WORD = st.sampled_from(WORDS)
done: Counter[str] = Counter()


class Interrupted(Exception):
    pass


class Held:
    """An index opened at one commit, and what there was to find."""

    def __init__(self, folder: Path, expected: State, word: str) -> None:
        self.index = newsindex.open(folder)
        self.expected = dict(expected)
        self.word = word
        self.results: Results = self.index.search(word, limit=None)

    def check(self) -> None:
        check_articles(self.index, self.expected)
        check_words(self.index, self.expected, (self.word,))
        for hit in self.results:
            assert hit.article.model_dump()["body"] == article(hit.id, self.expected[hit.id])["body"]


class IndexMachine(RuleBasedStateMachine):
    """`kept` is what is committed, `now` what the open writer has made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="newsindex-"))
        self.folders = 0
        self.kept: State = {}
        self.now: State = {}
        self.writer: Writer | None = None
        self.held: list[Held] = []
        self.patches = pytest.MonkeyPatch()

    @initialize(small=st.booleans(), threads=st.booleans())
    def begin(self, small: bool, threads: bool) -> None:
        # Two segments of a size are merged at once; a segment may be full after a few articles.
        self.patches.setattr(merge_policy, "_MOST_IN_TIER", 2)
        if small:
            self.patches.setattr(builder, "_CHUNK_BYTES", 1200)
            self.patches.setattr(builder, "_SEGMENT_BYTES", 4000)
        if threads:
            self.patches.setattr(builder, "_SMALL_BYTES", 1)
        self.folder = self.base / "0"
        self.index: NewsIndex = newsindex.open(self.folder, create=True)
        done["sequences"] += 1

    def teardown(self) -> None:
        if self.writer is not None:
            self.writer.close()
        for held in self.held:
            held.index.close()
        if hasattr(self, "index"):
            self.index.close()
        self.patches.undo()
        shutil.rmtree(self.base)

    # Writing

    def expect(self, report: Any, articles: list[tuple[str, int]], rejected: int = 0) -> None:
        counts: Counter[str] = Counter()
        for one, version in articles:
            before = self.now.get(one)
            counts["added" if before is None else "unchanged" if before == version else "updated"] += 1
            self.now[one] = version
        told = (report.added, report.updated, report.unchanged, len(report.rejected))
        assert told == (counts["added"], counts["updated"], counts["unchanged"], rejected)

    def acknowledged(self) -> None:
        self.kept = dict(self.now)
        done["commits"] += 1

    @precondition(lambda self: self.writer is None)
    @rule()
    def take_the_writer(self) -> None:
        self.writer = self.index.writer(timeout=0)

    @rule(articles=ARTICLES, bad=st.booleans())
    def add(self, articles: list[tuple[str, int]], bad: bool) -> None:
        records: list[Any] = [article(one, version) for one, version in articles]
        if bad:
            records.insert(len(records) // 2, {"title": ["no text"]})
        if self.writer is not None:
            self.expect(self.writer.add(records), articles, int(bad))
        else:
            self.expect(self.index.add(records), articles, int(bad))
            self.acknowledged()

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[str]) -> None:
        there = [one for one in dict.fromkeys(ids) if self.now.pop(one, None) is not None]
        if self.writer is not None:
            assert self.writer.delete(ids) == len(there)
        else:
            assert self.index.delete(ids) == len(there)
            self.acknowledged()

    @precondition(lambda self: self.writer is None)
    @rule(number=st.integers(0, SECTIONS - 1))
    def delete_a_section(self, number: int) -> None:
        there = [one for one in self.kept if section(one) == f"s{number}"]
        assert self.index.delete(where={"section": f"s{number}"}) == len(there)
        for one in there:
            del self.now[one]
        self.acknowledged()

    @precondition(lambda self: self.writer is not None)
    @rule(how=st.sampled_from(("commit", "roll back", "roll back and commit", "commit and close", "close")))
    def end_batch(self, how: str) -> None:
        assert self.writer is not None
        if how.startswith("commit"):
            self.writer.commit()
            self.acknowledged()
        elif how.startswith("roll back"):
            self.writer.rollback()
            if how.endswith("commit"):
                self.writer.commit()
            done["rollbacks"] += 1
        if how.endswith("close"):
            self.writer.close()
            self.writer = None
        self.now = dict(self.kept)

    @precondition(lambda self: self.writer is None)
    @rule(articles=ARTICLES, ids=st.lists(IDS, max_size=2))
    def fail_while_writing(self, articles: list[tuple[str, int]], ids: list[str]) -> None:
        def breaking(writer: Writer) -> Any:
            writer.delete(ids)
            yield from (article(one, version) for one, version in articles)
            raise Interrupted

        with pytest.raises(Interrupted), self.index.writer(timeout=0) as writer:
            writer.add(breaking(writer))

    # Ends and beginnings

    @rule(crash=st.booleans())
    def end(self, crash: bool) -> None:
        """Open the index again; after a crash go on with the files as they are, whoever had them open is not asked."""
        if crash:
            self.folders += 1
            self.folder = Path(shutil.copytree(self.folder, self.base / str(self.folders)))
            done["crashes"] += 1
        if self.writer is not None:
            self.writer.close()
            self.writer = None
        self.index.close()
        self.now = dict(self.kept)
        self.index = newsindex.open(self.folder)

    @precondition(lambda self: len(self.held) < 3)
    @rule(word=WORD)
    def hold(self, word: str) -> None:
        self.held.append(Held(self.folder, self.kept, word))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def look_at_what_is_held(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.held))
        held.check()
        done["old snapshots"] += 1
        if data.draw(st.booleans()):
            held.index.close()
            self.held.remove(held)

    @rule(what=st.sampled_from(("search", "check", "back up", "second writer")), word=WORD, one=IDS)
    def look(self, what: str, word: str, one: str) -> None:
        if what == "search":
            check_words(self.index, self.kept, (word,))
            assert (self.index.get(one) is None) == (one not in self.kept)
        elif what == "check":
            assert self.index.check() == []
        elif what == "back up":
            copy = self.base / "copy"
            self.index.backup(copy)
            with newsindex.open(copy) as index:
                check_articles(index, self.kept)
            shutil.rmtree(copy)
        elif self.writer is not None:
            with pytest.raises(IndexLocked):
                self.index.writer(timeout=0)

    # What is seen

    @invariant()
    def same_as_the_reference(self) -> None:
        if hasattr(self, "index"):
            done["steps"] += 1
            check_articles(self.index, self.kept)


def forget_to_roll_back(self: Writer) -> None:
    pass


def overlook_what_waits(self: Writer, _: str) -> None:
    return None


def see_no_commit(self: NewsIndex) -> bool:
    return False


def delete_nothing_committed(self: Writer, article_id: str, _: Any) -> bool:
    return REMOVE(self, article_id, None)


REMOVE = Writer._remove
MUTANTS = (
    (Writer, "_pending", overlook_what_waits),
    (NewsIndex, "refresh", see_no_commit), (Writer, "_remove", delete_nothing_committed),
    *([(Writer, "rollback", forget_to_roll_back)] if FULL else []),  # takes some seventy sequences
)  # fmt: skip


@pytest.mark.parametrize(("owner", "name", "mutant"), MUTANTS)
def test_each_mutant_is_caught(
    owner: type, name: str, mutant: Any, monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    monkeypatch.setattr(owner, name, mutant)
    quick = settings(max_examples=300, stateful_step_count=STEPS, deadline=None, phases=[Phase.generate])
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the mutant leads to
        run_state_machine_as_test(IndexMachine, settings=quick)
    print(f"{mutant.__name__}: {type(caught.value).__name__}")
    figures("T15", "mutants of the writer", undetected=0)


def test_any_sequence_of_acts_leaves_what_a_dict_would(figures: Figures) -> None:
    done.clear()
    run_state_machine_as_test(
        IndexMachine, settings=settings(max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None)
    )
    sequences = done.pop("sequences")
    note = ", ".join(f"{count:,} {what}" for what, count in done.items())
    figures("T15", "sequences of acts against a dict", sequences, lost=0, wrong=0, crashed=0, note=note)
