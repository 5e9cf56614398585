"""When two texts are one: URLs of an article, values of a keyword field, articles without either."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

__all__ = ["canonical_url", "fold_keyword", "has_key", "hashed_id", "identifying_url"]

_ACCENTS = re.compile("[\u0300-\u036f]")
_WEB_ADDRESS = re.compile(r"\s*https?://[^/?#\s]", re.IGNORECASE)
# A web address that only needs https and no slash at the end: nearly every one of an archive.
_PLAIN_ADDRESS = re.compile(r"https?://([a-z0-9.-]+/[!-\"$->@-~]*[!-\"$-.0->@-~])/*")
_TRACKING = re.compile(r"(?:utm_.*|fbclid|gclid|dclid|mc_cid|mc_eid)\Z", re.IGNORECASE)


def fold_keyword(text: str) -> str:
    """Return the form in which keyword values are compared: no case, no accents, single spaces.

    >>> fold_keyword("  São  PAULO ")
    'sao paulo'
    """
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return " ".join(text.casefold().split())


def has_key(text: str) -> bool:
    """Tell whether anything is left of a keyword value when it is folded."""
    return bool(fold_keyword(text)) if not text.isascii() else not text.isspace() and text != ""


def canonical_url(url: str) -> str:
    """Return the URL without what does not change the page: fragment, tracking parameters, host's case, default port.

    A fragment that begins with / or ! names a page of its own and is kept. Written here, not taken from a library:
    article ids hang on it, so it may never change with an upgrade.

    >>> canonical_url("http://Example.org:80/a?utm_source=x&id=3#top")
    'https://example.org/a?id=3'
    """
    return _canonical(urlsplit(url.strip()))[0]


def identifying_url(url: str) -> str | None:
    """Return the canonical URL when it can only be one article's; None for front pages and for what is no web address.

    >>> identifying_url("https://example.org/?utm_source=x"), identifying_url("https://example.org/#/news/5")
    (None, 'https://example.org#/news/5')
    """
    plain = _PLAIN_ADDRESS.fullmatch(url)
    if plain:
        return f"https://{plain[1]}"
    if not _WEB_ADDRESS.match(url):
        return None
    try:
        canonical, front = _canonical(urlsplit(url.strip()))
    except ValueError:
        return None  # a broken IPv6 host, say
    return None if front else canonical


def _canonical(parts: SplitResult) -> tuple[str, bool]:
    """Return the canonical URL, and whether it is that of a front page."""
    host = parts.netloc.lower().rsplit("@", 1)[-1].removesuffix(":80").removesuffix(":443")
    path, query, page = parts.path.rstrip("/"), parts.query, parts.fragment
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(key, value) for key, value in pairs if not _TRACKING.match(key)])
    page = f"#{page}" if page.startswith(("/", "!")) else ""
    scheme = "https" if parts.scheme in ("http", "https", "") else parts.scheme
    canonical = f"{scheme}://{host}{path}{'?' + query if query else ''}{page}"
    return canonical, not (path or query or page.strip("#!/"))


def hashed_id(prefix: str, text: str) -> str:
    """Return an id made of the text, which names it for good."""
    return f"{prefix}-{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=12).hexdigest()}"
