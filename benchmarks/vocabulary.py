"""The words of the generated articles: English function words in their usual shares, and invented ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

__all__ = ["FUNCTION_PHRASES", "FUNCTION_WORDS", "invented_words", "rare_name"]

# Per cent of the words of English news, rounded.
FUNCTION_WORDS = {
    "the": 5.4, "of": 2.6, "to": 2.6, "and": 2.2, "in": 2.1, "a": 2.2, "said": 1.5, "for": 1.0, "it": 0.85, "on": 0.95,
    "that": 0.8, "is": 0.65, "from": 0.55, "its": 0.6, "by": 0.6, "will": 0.45, "be": 0.5, "at": 0.6, "with": 0.6,
    "was": 0.5, "he": 0.45, "has": 0.42, "as": 0.55, "an": 0.36, "would": 0.34, "not": 0.3, "which": 0.3, "but": 0.32,
    "are": 0.32, "this": 0.3, "have": 0.32, "were": 0.26, "last": 0.22, "up": 0.24, "one": 0.24, "had": 0.26,
    "or": 0.22, "also": 0.22, "they": 0.24, "about": 0.22, "two": 0.2, "his": 0.24, "who": 0.2, "after": 0.24,
    "more": 0.24, "been": 0.2, "than": 0.22, "their": 0.2, "new": 0.26, "year": 0.28, "we": 0.2, "when": 0.14,
    "there": 0.13, "could": 0.14, "other": 0.14, "over": 0.15, "first": 0.15, "some": 0.13, "out": 0.15, "into": 0.12,
    "no": 0.13, "if": 0.11, "all": 0.12, "while": 0.1, "her": 0.12, "she": 0.12, "can": 0.1, "may": 0.1, "any": 0.09,
    "only": 0.1, "before": 0.09, "between": 0.08, "because": 0.09, "against": 0.08, "what": 0.09, "so": 0.09,
    "under": 0.08, "three": 0.1, "told": 0.09, "since": 0.09, "such": 0.07, "do": 0.07, "most": 0.08, "them": 0.08,
    "during": 0.08, "through": 0.06, "many": 0.06, "these": 0.06, "where": 0.06, "should": 0.05, "both": 0.05,
    "him": 0.06, "however": 0.04, "until": 0.04, "still": 0.05, "including": 0.06, "according": 0.05, "i": 0.12,
    "you": 0.1, "our": 0.07, "being": 0.05, "those": 0.05, "then": 0.05, "now": 0.07, "very": 0.04, "just": 0.06,
    "did": 0.05, "down": 0.08, "off": 0.06, "back": 0.06, "well": 0.05, "near": 0.03, "per": 0.04, "among": 0.04,
}  # fmt: skip

# Real text puts these together far more often than chance does.
FUNCTION_PHRASES = {
    "of the": 0.55, "in the": 0.5, "to the": 0.25, "for the": 0.2, "on the": 0.2, "said the": 0.15, "at the": 0.12,
    "will be": 0.12, "has been": 0.1, "it is": 0.08, "that the": 0.12, "by the": 0.12, "from the": 0.1,
    "would be": 0.06, "one of the": 0.05, "according to": 0.05, "as well as": 0.03, "more than": 0.08,
    "last year": 0.06, "a new": 0.06,
}  # fmt: skip

_ONSETS = "b c d f g h j k l m n p r s t v w b d g k l m n p r s t br ch cl dr fl gr pl pr sh sl sp st tr".split()
_VOWELS = "a e i o u a e i o a e i o ai ea ee oa ou".split()
_CODAS = [*[""] * 16, *"l m n r s t n r s ck ld nd nt rd rm st".split()]
_ENDINGS = ("s", "ed", "ing", "er", "al", "ly", "ment", "ness")
_NAME_ENDINGS = ("son", "ova", "ini", "escu", "berg", "man", "ez", "aro", "idis", "ski", "enko", "ford")


def invented_words(rng: random.Random) -> Iterator[str]:
    """Yield pronounceable words without end, each once, none of them a function word; the later ones are longer.

    About a quarter are inflections of an earlier one, so that a stemmer has something to do.
    """
    given: list[str] = []
    seen = set(FUNCTION_WORDS)
    while True:
        if given and rng.random() < 0.25:
            word = rng.choice(given) + rng.choice(_ENDINGS)
        else:
            syllables = rng.choices((1, 2, 3, 4), weights=(20, 50, 25, len(given) / 4000))[0]
            word = "".join(_syllable(rng) for _ in range(syllables))
        if 3 <= len(word) <= 18 and word not in seen:
            seen.add(word)
            given.append(word)
            yield word


def rare_name(rng: random.Random) -> str:
    """Return a surname out of some millions: what makes the vocabulary grow as long as the archive does."""
    return (_syllable(rng) + _syllable(rng) + rng.choice(_NAME_ENDINGS)).capitalize()


def _syllable(rng: random.Random) -> str:
    return rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)
