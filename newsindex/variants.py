"""Which words are variants of each other: spellings of names from a table, British and American English by rule.

The table is `variants.toml` here, with a user's own on top. It says nothing of what an archive has: a variant counts
only where articles have it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from newsindex.errors import QueryError
from newsindex.wrong_value import shown

__all__ = ["Given", "Variants"]

Given = str | PathLike[str] | Mapping[str, Any] | bool | None
_SHIPPED = Path(__file__).with_name("variants.toml")
_LARGEST = 4 * 1024 * 1024
_MOST = 16  # in a group
_KEYS = ("groups", "without", "spelling")

# British endings and American ones. What is left of the word has three letters or more: hour, tour and prise have not.
_RULES = (
    (
        re.compile(r"(\w{3,})our(s|ed|ing|er|ers|able|ably|ful|fully|ite|ites|ism|ist|ists|hood|hoods|less|ly|y)?"),
        re.compile(r"(\w{3,})or(s|ed|ing|er|ers|able|ably|ful|fully|ite|ites|ism|ist|ists|hood|hoods|less|ly|y)?"),
        ("our", "or"),
    ),
    (
        re.compile(r"(\w{3,})is(e|es|ed|ing|er|ers|ation|ations|ational|able)"),
        re.compile(r"(\w{3,})iz(e|es|ed|ing|er|ers|ation|ations|ational|able)"),
        ("is", "iz"),
    ),
    (re.compile(r"(\w{2,})ys(e|es|ed|ing|er|ers)"), re.compile(r"(\w{2,})yz(e|es|ed|ing|er|ers)"), ("ys", "yz")),
)
# What no rule tells: metre and meter are one, timbre and timber are not. Not wilful: the stem of willful is "will".
_PAIRS = """
    ageing/aging aluminium/aluminum amphitheatre/amphitheater anaemia/anemia anaemic/anemic anaesthetic/anesthetic
    analogue/analog artefact/artifact calibre/caliber catalogue/catalog centimetre/centimeter centre/center
    centred/centered cosy/cozy counsellor/counselor defence/defense dialogue/dialog diarrhoea/diarrhea
    encyclopaedia/encyclopedia enrol/enroll enrolment/enrollment epicentre/epicenter fibre/fiber foetal/fetal
    foetus/fetus fulfil/fulfill fulfilment/fulfillment grey/gray gynaecology/gynecology haemorrhage/hemorrhage
    instalment/installment jewellery/jewelry judgement/judgment kilometre/kilometer leukaemia/leukemia licence/license
    litre/liter lustre/luster manoeuvre/maneuver meagre/meager metre/meter millimetre/millimeter mould/mold
    mouldy/moldy moustache/mustache odour/odor oestrogen/estrogen offence/offense orthopaedic/orthopedic
    paediatric/pediatric paediatrician/pediatrician plough/plow practise/practice pretence/pretense programme/program
    pyjamas/pajamas sabre/saber sceptic/skeptic sceptical/skeptical scepticism/skepticism skilful/skillful
    smoulder/smolder sombre/somber spectre/specter sulphur/sulfur theatre/theater towards/toward whisky/whiskey
    woollen/woolen yoghurt/yogurt aeroplane/airplane
"""


class Variants:
    """A table of variants; none of a word, for most words."""

    def __init__(
        self, groups: tuple[tuple[str, ...], ...] = (), without: frozenset[str] = frozenset(), spelling: bool = True
    ) -> None:
        self.groups = groups
        self.without = without
        self.spelling = spelling

    @classmethod
    def of(cls, given: Given) -> Variants | None:
        """Return the shipped table, with what a caller gives on top: a path of a TOML file, or a dict; False for none.

        Raises:
            QueryError: what is given is no table of variants.
        """
        if given is False:
            return None
        shipped = _shipped()
        if given is None or given is True:
            return shipped
        if isinstance(given, Mapping):
            own = _read(given, "variants")
        elif isinstance(given, str | PathLike):
            own = _read(_load(Path(given)), fspath(given))
        else:
            raise QueryError(f"variants: a path, a dict, or False for none, not {type(given).__name__}")
        return cls((*own.groups, *shipped.groups), own.without, own.spelling)

    def table(self, term: Callable[[str], str | None], language: str) -> Callable[[str], tuple[str, ...]]:
        """Return what gives of a folded word, and of all words with its stem, the variants: folded words.

        Args:
            term: gives the stem of a word as it is written, None when it is not one word.
            language: of the stems; the British and American spellings are those of English.
        """
        known: dict[str, dict[str, None]] = {}
        pairs = tuple(tuple(pair.split("/")) for pair in _PAIRS.split()) if self.spelling else ()
        without = {term(word) for word in self.without}
        for group in (*self.groups, *(pairs if language == "english" else ())):
            stems = {stem: word for word in group if (stem := term(word)) is not None and stem not in without}
            for stem in stems:
                known.setdefault(stem, {}).update(dict.fromkeys(w for s, w in stems.items() if s != stem))
        ruled = self.spelling and language == "english"

        def variants(word: str) -> tuple[str, ...]:
            stem = term(word)
            if stem is None or stem in without:
                return ()
            return tuple(dict.fromkeys((*known.get(stem, ()), *(_by_rule(word) if ruled else ()))))

        return variants


def _by_rule(word: str) -> Iterator[str]:
    for british, american, (ours, theirs) in _RULES:
        for pattern, ending in ((british, theirs), (american, ours)):
            if found := pattern.fullmatch(word):
                yield f"{found[1]}{ending}{found[2] or ''}"


@cache
def _shipped() -> Variants:
    return _read(_load(_SHIPPED), str(_SHIPPED))


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ValueError(f"more than {_LARGEST:,} bytes, the limit")
        return tomllib.loads(data.decode())
    except (OSError, ValueError, RecursionError) as error:  # no UTF-8 and no TOML are both ValueErrors
        reason = getattr(error, "strerror", None) or error
        raise QueryError(f"variants: {path}: {reason}; give a TOML file with groups = [[…], …]") from None


def _read(given: Mapping[str, Any], where: str) -> Variants:
    for key in given:
        if key not in _KEYS:
            raise QueryError(f"variants: {where}: {shown(key)} is none of {', '.join(_KEYS)}")
    groups = given.get("groups", [])
    if not isinstance(groups, list | tuple):
        raise QueryError(f"variants: {where}: groups is a list of lists of words, not {shown(groups)}")
    found = []
    for number, group in enumerate(groups, 1):
        words = _words(group, f"{where}: group {number}")
        if not 2 <= len(words) <= _MOST:
            raise QueryError(f"variants: {where}: group {number} has {len(words)} words; 2 to {_MOST} may be")
        found.append(words)
    spelling = given.get("spelling", True)
    if not isinstance(spelling, bool):
        raise QueryError(f"variants: {where}: spelling is true or false, not {shown(spelling)}")
    return Variants(tuple(found), frozenset(_words(given.get("without", []), f"{where}: without")), spelling)


def _words(given: Any, where: str) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        raise QueryError(f"variants: {where} is a list of words, not {shown(given)}")
    for word in given:
        if not isinstance(word, str) or not word.strip() or len(word.split()) > 1:
            raise QueryError(f"variants: {where}: {shown(word)} is not a single word")
    return tuple(given)
