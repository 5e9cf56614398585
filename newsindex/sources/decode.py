"""Bytes to text, and text that UTF-8 can hold."""

from __future__ import annotations

import codecs
import re
from typing import Any

__all__ = ["decode", "has_controls", "mended", "to_utf8"]

_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# Names of character sets only: Python also knows "encodings" such as punycode, which are slow or mean other things.
_CHARACTER_SET = re.compile(r"(?:ascii|big5|cp\d|euc|gb|hz|iso|johab|koi8|latin|mac|shift|sjis|tis|us-ascii|windows)")
# By the web's rules these three names mean windows-1252.
_WESTERN = frozenset({"iso-8859-1", "latin-1", "latin1", "ascii", "us-ascii"})
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def to_utf8(data: bytes) -> bytes | None:
    """Return UTF-16 or UTF-32 with its mark as UTF-8 with its mark; None when the data has no such mark."""
    for mark, encoding in _WIDE_MARKS:
        if data.startswith(mark):
            return codecs.BOM_UTF8 + data.decode(encoding, "replace").encode("utf-8", "replace")
    return None


def decode(data: bytes, declared: str | None = None) -> str | None:
    """Return the text by its mark, as UTF-8, or in the declared character set; None when none of them fits.

    UTF-8 goes before what is declared: text that happens to be valid UTF-8 is rare, wrong declarations are not.

    >>> decode("Łódź".encode("iso-8859-2"), "ISO-8859-2")
    'Łódź'
    """
    name = (declared or "").strip().strip("\"'").lower()
    escapes = name.startswith("iso-2022") and b"\x1b" in data
    if not escapes:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass  # not UTF-8: what is declared decides
    if not _CHARACTER_SET.match(name):
        return None
    try:
        return data.decode("cp1252" if name in _WESTERN else name)
    except (LookupError, UnicodeError):
        return None


def has_controls(text: str) -> bool:
    """Tell whether the text has characters that no text file has."""
    return _CONTROLS.search(text) is not None


def mended(value: Any) -> Any:
    """Return the value with every lone surrogate in it as U+FFFD: JSON and HTML can write them, UTF-8 cannot.

    >>> mended({"title": "a\\ud800b"})
    {'title': 'a\ufffdb'}
    """
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {mended(key): mended(part) for key, part in value.items()}
    if isinstance(value, list):
        return [mended(part) for part in value]
    return value
