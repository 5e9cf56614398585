"""A handful of invented articles, one of them hostile, for the tests of what is shown on a screen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import newsindex

ESCAPE_CODE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[=>]|\][^\x07]*\x07|[()][A-Z0-9])")
# C0 without newline and tab, DEL, C1, and every mark that turns the direction of text.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

HOSTILE: dict[str, Any] = {
    "id": "hostile\x1b[2J",
    "title": "Saboteur \x1b[31mpaints\x1b[0m [red]bridge[/red] :smile:",
    "body": "The saboteur \x1b]0;owned\x07struck \u202eat night\u202c.\r\nA \x9b31mline \u2066of\u2069 it \x7frang.",
    "source": "Night\x1b[1m Desk\u202e",
    "authors": ["Mallory\x08\x08 [link=http://example.org]Vex[/link]"],
    "section": "Crime\x00",
    "published": "2024-05-01T10:00:00Z",
    "url": "https://example.org/\x1b[5m",
}

ARTICLES: list[dict[str, Any]] = [
    {
        "id": f"tide-{number}",
        "title": f"Harbour tide report number {number}",
        "body": f"The harbour saw tide {number} rise. " + "Boats waited at the quay while pilots drank tea. " * 12,
        "source": "Harbour Post" if number % 3 else "Wire",
        "section": "Weather",
        "published": f"2024-03-{number:02d}T08:30:00Z",
    }
    for number in range(1, 13)
] + [
    {
        "id": "-dash",
        "title": "Ministers meet in Orlan for a peace conference",
        "body": "The minister didn’t say when the “peace conference” would end.\n\nKiev was not mentioned.",
        "source": "Wire",
        "section": "World News",
        "authors": ["Ines Quill", "Tom Aldersey"],
        "published": "2024-04-09T10:30:00+02:00",
        "url": "https://wire.example.org/conference",
    },
    {
        "id": "kiev",
        "title": "Trams of Kiev run again",
        "body": "Kiev welcomed its trams.\nNaïve travellers paid twice.",
        "source": "Harbour Post",
        "section": "World News",
    },
    HOSTILE,
]


def write_jsonl(file: Path, articles: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(article) + "\n" for article in articles), encoding="utf-8")
    return file


def build(folder: Path) -> str:
    """Make the archive of these articles."""
    with newsindex.open(folder, create=True, language="english") as index:
        report = index.add(ARTICLES)
        assert report.added == len(ARTICLES)
    return str(folder)
