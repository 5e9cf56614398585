"""Pieces of HTML, as feeds carry them, to plain text with paragraphs."""

from __future__ import annotations

import html
import re

__all__ = ["plain_text"]

# Each pattern excludes its own beginning from what it spans, so that a search takes time linear in the text.
_SILENT = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
# A quoted attribute may hold ">".
_QUOTED_TAG = re.compile(r"""<[a-zA-Z][^<>"']*(?:"[^"<]*"[^<>"']*|'[^'<]*'[^<>"']*)+>""")
_BLOCK = re.compile(
    r"</?(?:p|div|h[1-6]|ul|ol|li|dl|dt|dd|table|tr|blockquote|pre|article|section|figure|figcaption|header|footer|hr)"
    r"\b[^<>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
_NAME = re.compile(r"<[a-zA-Z][a-zA-Z0-9]*")


def plain_text(markup: str) -> str:
    """Return the text; blocks become paragraphs, apart by blank lines.

    >>> plain_text("<p>Rates &amp; prices</p><p>One<br>two <b>three</b></p>")
    'Rates & prices\\n\\nOne\\ntwo three'
    """
    text = _COMMENT.sub("", _SILENT.sub("", markup))
    text = _QUOTED_TAG.sub(lambda tag: _NAME.match(tag.group()).group() + ">", text)  # type: ignore[union-attr]
    # White space in markup only parts words; line breaks come from tags.
    text = re.sub(r"[ \t\r\n\f]+", " ", text)
    text = html.unescape(_TAG.sub("", _BLOCK.sub("\n\n", _BREAK.sub("\n", text))))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
