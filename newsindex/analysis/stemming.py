"""The stemmer of a language: Snowball, by PyStemmer."""

from __future__ import annotations

from collections.abc import Callable

import Stemmer

from newsindex.errors import SchemaError

__all__ = ["language_name", "stemmer"]

_CODES = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_NOT_STEMMED = "none"


def language_name(language: str) -> str:
    """Return the Snowball name of a language given by name or two-letter code; "none" stands for no stemming.

    >>> language_name("fr"), language_name("English"), language_name("none")
    ('french', 'english', 'none')

    Raises:
        SchemaError: no stemmer has this name.
    """
    name = _CODES.get(language.strip().lower(), language.strip().lower())
    if name == _NOT_STEMMED or name in Stemmer.algorithms():
        return name
    known = ", ".join(sorted([*Stemmer.algorithms(), _NOT_STEMMED]))
    raise SchemaError(f"no stemmer for the language {language!r}; choose one of {known}")


def stemmer(language: str) -> Callable[[str], str]:
    """Return the function from a folded word to its stem."""
    if language == _NOT_STEMMED:
        return str
    stem: Callable[[str], str] = Stemmer.Stemmer(language, 100_000).stemWord
    return stem
