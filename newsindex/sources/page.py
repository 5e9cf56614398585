"""A plain text page to a record: headline, header lines, section line, paragraphs, and the boilerplate after them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from newsindex.dates import parse_date
from newsindex.errors import SourceError
from newsindex.sources.decode import decode, has_controls
from newsindex.sources.record import Record
from newsindex.sources.streams import read_whole

__all__ = ["LONGEST_PAGE", "MOST_LINES", "cut_boilerplate", "read_page"]

LONGEST_PAGE = 20 * 1024 * 1024
# Each costs some 60 bytes beside its text.
MOST_LINES = 500_000
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_LONGEST_HEADLINE = 300
_LONGEST_SECTION = 40
_LONGEST_DATE_LINE = 60
_PROSE = 140
_SENTENCE_END = tuple(".?!…。！？।")

_NAMES = {
    "title": "title", "headline": "title", "source": "source", "publisher": "source", "published": "published",
    "date": "published", "by": "authors", "author": "authors", "authors": "authors", "section": "section",
    "category": "section", "tags": "tags", "keywords": "tags", "url": "url", "link": "url", "language": "language",
    "summary": "summary",
}  # fmt: skip
_HEADER_LINE = re.compile(rf"({'|'.join(_NAMES)})\s*:\s*(\S.*)\Z", re.IGNORECASE)
_BYLINE = re.compile(r"[Bb][Yy]\s+([^\W\d_].{1,100})\Z")

# Lines that stand alone above a list of links.
_WHOLE_LINES = (
    r"(?:related|more|recommended|similar|latest|popular|trending|top)\s+(?:posts?|articles?|stories|news|reading|topics|links?|coverage)",
    r"(?:read|see|watch|also|you\s+(?:may|might)|more\s+on\s+this|what\s+to\s+read\s+next)(?:\s+(?:also|more|next|read|like|enjoy|this\s+story))*",
    r"you\s+(?:may|might)\s+also\s+(?:like|enjoy|be\s+interested\s+in)", r"recommended(?:\s+for\s+you)?",
    r"advertisements?", r"sponsored(?:\s+content)?", r"(?:leave|post|add)\s+a\s+(?:comment|reply)",
    r"(?:\d+\s+)?comments?",
    r"share(?:\s+(?:this|on|via|with))?(?:\s+(?:article|post|story|page|facebook|twitter|x|email|whatsapp|friends))*",
    r"(?:sign\s+up|subscribe)(?:\s.{0,60})?", r"most\s+(?:read|popular|viewed)",
    r"(?:print|email|e-mail)(?:\s+this)?(?:\s+(?:page|article))?",
    r"(?:à\s+)?lire\s+aussi|articles\s+(?:liés|similaires)|sur\s+le\s+même\s+(?:sujet|thème)|partager(?:\s+cet\s+article)?|publicité",
    r"(?:noticias|artículos|notas)\s+relacionad[ao]s|le[ea]\s+también|te\s+puede\s+interesar|compartir|publicidad",
    r"mehr\s+zum\s+thema|(?:ähnliche|verwandte)\s+(?:artikel|beiträge)|lesen\s+sie\s+auch|das\s+könnte\s+sie\s+auch\s+interessieren|anzeige|werbung",
    r"(?:notícias|matérias)\s+relacionadas|leia\s+(?:também|mais)|compartilhe|leggi\s+anche|lees\s+ook",
    r"читайте\s+также|читайте\s+також|читать\s+далее|поделиться|поділитися|相关(?:阅读|新闻|文章)|関連記事|اقرأ\s+أيضا",
)  # fmt: skip
# Beginnings after which any short text may follow.
_BEGINNINGS = (
    r"(?:read|see)\s+(?:more|also|next)\s*(?:[:»>–—|-]|on\b|at\b|about\b|here\b)",
    r"also\s+read\s*[:»>–—|-]", r"related\s*:",
    r"more\s+from\s", r"follow\s+(?:us|@)", r"sign\s+up\s+(?:for|to)\s", r"subscribe\s+(?:to|now|today)\b",
    r"newsletters?\s*[:–—-]", r"share\s+this\s*[:–—-]", r"(?:filed|posted)\s+under\b",
    r"tags\s*:", r"©", r"\(c\)\s*\d{4}",
    r"copyright\s+(?:©|\(c\)|\d{4})", r"join\s+(?:us\s+on|our)\s", r"download\s+(?:our|the)\s.{0,20}app\b",
    r"(?:à\s+)?lire\s+aussi\s*:", r"lesen\s+sie\s+auch\s*:", r"lea\s+también\s*:", r"читайте\s+та(?:кже|кож)\s*:",
)  # fmt: skip
_MARKER = re.compile(
    rf"(?:(?:{'|'.join(_WHOLE_LINES)})\s*[:.…»>]*\Z|(?:{'|'.join(_BEGINNINGS)})|.*\ball\s+rights\s+reserved\b)",
    re.IGNORECASE,
)
_LEGAL = re.compile(r"\A(?:©|\(c\)|copyright\b)|\ball\s+rights\s+reserved\b", re.IGNORECASE)


def read_page(stream: BinaryIO, file: str) -> Iterator[Record | SourceError]:
    """Yield the one record of the page."""
    data = read_whole(stream, file, "a text page", LONGEST_PAGE)
    text = decode(data) or decode(data, "windows-1252")
    if text is None or has_controls(text):
        yield SourceError("not a text file: neither UTF-8 nor any text of one byte a character", file)
        return
    ends = sum(map(text.count, _LINE_ENDS)) if len(text) > MOST_LINES else 0
    if ends > MOST_LINES:
        yield SourceError(f"a text page of {ends:,} lines; the limit is {MOST_LINES:,}; split it", file)
        return
    lines = [line.strip() for line in text.replace("\f", "\n").splitlines()]
    values: dict[str, Any] = {}
    at = _next_line(lines, 0)
    if at == len(lines):
        yield SourceError("no text in the file", file)
        return
    if len(lines[at]) <= _LONGEST_HEADLINE and not _header(lines[at]):
        values["title"] = lines[at]
        at += 1
    at = _take_top(lines, at, values)
    body, boilerplate = cut_boilerplate(lines[at:])
    values |= {name: part for name, part in (("body", body), ("boilerplate", boilerplate)) if part}
    yield Record(values, file, 1)


def _next_line(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at]:
        at += 1
    return at


def _take_top(lines: list[str], at: int, values: dict[str, Any]) -> int:
    """Take the header lines and the section line between headline and body; return where the body begins."""
    while (at := _next_line(lines, at)) < len(lines):
        line = lines[at]
        header = _header(line)
        if header and header[0] not in values:
            values[header[0]] = header[1]
        elif "section" not in values and _is_section(lines, at):
            values["section"] = line
        else:
            break
        at += 1
    return at


def _header(line: str) -> tuple[str, Any] | None:
    """Return the field and the value of a header line, a byline or a date that stands alone."""
    named = _HEADER_LINE.match(line)
    if named:
        name, value = _NAMES[named.group(1).lower()], named.group(2)
        if name == "authors":
            return name, _people(value)
        if name == "tags":
            return name, [tag.strip() for tag in re.split(r"[,;|]", value) if tag.strip()]
        if name != "published":
            return name, value
        line = value
    elif byline := _BYLINE.match(line):
        return None if line.endswith(_SENTENCE_END) else ("authors", _people(byline.group(1)))
    if len(line) > _LONGEST_DATE_LINE or not any(character.isdigit() for character in line):
        return None
    try:
        parse_date(line)
    except ValueError:
        return None  # not a date that can be read: the line stays in the body
    return "published", line


def _people(text: str) -> list[str]:
    return [name.strip() for name in re.split(r",\s+|;|\s+and\s+|\s+&\s+", text) if name.strip()]


def _is_section(lines: list[str], at: int) -> bool:
    """Tell whether the line is a few words alone, below a blank line, with text after it."""
    line = lines[at]
    alone = not lines[at - 1] and at + 1 < len(lines) and (not lines[at + 1] or _header(lines[at + 1]) is not None)
    short = len(line) <= _LONGEST_SECTION and len(line.split()) <= 5 and not line.endswith((*_SENTENCE_END, ":", ","))
    return alone and short and not _MARKER.match(line) and _next_line(lines, at + 1) < len(lines)


def cut_boilerplate(lines: list[str]) -> tuple[str, str]:
    """Return the body and the boilerplate after it, paragraphs apart by blank lines.

    The tail begins at the first line such as "Related Posts" after which no prose comes: what stands in the middle of
    an article stays, for a cut there would lose text.

    >>> cut_boilerplate(["The talks ended.", "", "Related Posts", "", "A link"])
    ('The talks ended.', 'Related Posts\\n\\nA link')
    """
    start = len(lines)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        prose = len(line) > _PROSE or (line.endswith(_SENTENCE_END) and len(line.split()) > 12)
        if len(line) <= 2 * _PROSE and (_LEGAL.search(line) if prose else _MARKER.match(line)):
            start = at
        elif prose:
            break
    body = _paragraphs(lines[:start])
    return (body, _paragraphs(lines[start:])) if body else (_paragraphs(lines), "")


def _paragraphs(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
