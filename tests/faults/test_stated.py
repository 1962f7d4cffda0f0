"""The section "What a file says about itself": its cells turn red when something is wrong, and it keeps the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import stated, stated_inputs, stated_kinds, stated_playing, stated_rows
from benchmarks.stated_inputs import DATA, RATE, Labelling


@pytest.mark.parametrize("name", ["a.edf", "a.vhdr", "a.xdf"])
def test_cells_of_a_sound_reader_are_right(tmp_path: Path, name: str) -> None:
    for kind in (stated_kinds.derivations, stated_kinds.an_odd_unit, stated_rows.markers_outside):
        cell = kind(name, tmp_path)
        assert cell is not None
        assert cell.right, cell.text


def test_what_plays_though_it_should_be_refused_is_red(tmp_path: Path) -> None:
    stated_inputs.write_edf(tmp_path / "a.edf", Labelling())
    cell = stated_playing.refused(stated_playing.url_of(tmp_path / "a.edf"), "units=")
    assert (cell.text, cell.right) == ("played without a word", False)


def test_a_refusal_without_a_way_out_and_a_way_that_plays_another_signal_are_red(tmp_path: Path) -> None:
    stated_inputs.write_edf(tmp_path / "a.edf", Labelling(unit="counts"))
    url = stated_playing.url_of(tmp_path / "a.edf")
    assert not stated_playing.refused(url, "sfreq=").right
    assert not stated_playing.refused(url, "(units=0.1uV)", worth=1.0).right
    assert stated_playing.refused(url, "(units=0.1uV)", worth=0.1).right


def test_a_break_that_a_reader_does_not_see_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def joined(path: Path) -> None:
        stated_inputs.recordings.write_xdf(path, DATA, RATE, np.arange(len(DATA)))

    monkeypatch.setitem(stated_kinds.BROKEN, "a.xdf", joined)
    assert not stated_kinds.a_break("a.xdf", tmp_path).right


def test_what_goes_wrong_in_a_cell_is_what_it_says() -> None:
    def fails(name: str, folder: Path) -> None:
        raise ValueError(f"no {name}")

    cell = stated.guarded(fails, "a.edf")
    assert stated.words(cell) == "**✗** ValueError: no a.edf"
    assert stated.words(None) == "–"


def test_the_section_replaces_itself_and_nothing_else() -> None:
    page = "# Page\n\ntext\n"
    once = stated.placed(page, stated.TITLE, f"{stated.TITLE}\n\nold\n")
    assert once == f"# Page\n\ntext\n\n{stated.TITLE}\n\nold\n"
    after = once + "\n## Next\n\nmore\n"
    assert stated.placed(after, stated.TITLE, f"{stated.TITLE}\n\nnew\n") == after.replace("old", "new")
