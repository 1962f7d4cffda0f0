"""Notes of a run are shown in the language of the window, and each that can be translated is one that can be made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from realtime_mood import language
from realtime_mood.recording.recorder import SLOW, TROUBLES
from realtime_mood.viewmodel.notes import NOTES, translated

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    language.use("de")
    yield
    language.use("en")


def test_a_note_is_translated_with_its_values() -> None:
    note = "Cap: came back after 3.5 s, 1,792 samples lost"
    assert translated(note) == "Cap: nach 3,5 s zurück, 1.792 Samples verloren"
    assert translated("mood-osc failed: [Errno 111] refused") == "mood-osc ist ausgefallen: [Errno 111] refused"
    assert translated("something that nobody foresaw") == "something that nobody foresaw"
    language.use("en")
    assert translated(note) == note


@pytest.mark.parametrize("trouble", [*TROUBLES.values(), SLOW])
def test_every_trouble_of_a_recording_is_translated(trouble: tuple[str, str]) -> None:
    cause, do = trouble
    assert translated(f"not recording: {cause.format('is')} · {do}").startswith("keine Aufnahme: ")


@pytest.mark.parametrize("note", [note for note in NOTES if "recording: the" not in note])
def test_every_note_is_one_that_the_program_makes(note: str) -> None:
    folders = [ROOT / "realtime_mood", ROOT / "models"]
    sources = "\n".join(
        path.read_text() for folder in folders for path in folder.rglob("*.py") if path.name != "notes.py"
    )
    words = [text.strip(" .,:;·") for text, *_rest in Formatter().parse(note)]
    words = [part for text in words for part in re.split(r" samples lost| lost|, |failed |: ", text) if len(part) > 3]
    assert words
    assert not [text for text in words if text not in sources]
