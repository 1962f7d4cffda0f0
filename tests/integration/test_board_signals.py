"""The signals of BrainFlow boards beside their EEG, by the real library: none twice, none lost, on the EEG's clock."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from waiting import until

from realtime_mood.auxiliary import AuxChunk, AuxInfo, Carrying
from realtime_mood.contracts import Stream
from realtime_mood.errors import StreamEnded
from realtime_mood.sources import open_source
from realtime_mood.sources.boards.session import library
from realtime_mood.sources.boards.signals import TIMING, row_groups
from realtime_mood.types import Chunk

Carried = dict[str, list[AuxChunk]]


def read(stream: Stream, n: int) -> tuple[list[Chunk], Carried, dict[str, AuxInfo]]:
    """The EEG until it has `n` samples or ends, and what came beside it, by name."""
    assert isinstance(stream, Carrying)
    eeg, carried, infos = list[Chunk](), defaultdict[str, list[AuxChunk]](list), dict[str, AuxInfo]()

    def step() -> bool:
        is_over = False
        try:
            if (chunk := stream.read(0.1)) is not None:
                eeg.append(chunk)
        except StreamEnded:
            is_over = True
        for info, aux in stream.beside():
            infos[info.name] = info
            carried[info.name].append(aux)
        return is_over or sum(map(len, eeg)) >= n

    until(step, 20)
    return eeg, carried, infos


def test_no_row_of_any_board_is_carried_twice_or_beside_itself() -> None:
    shim = library().BoardShim
    for board in library().BoardIds:
        with suppress(library().BrainFlowError):
            for preset in shim.get_board_presets(board.value):
                told = shim.get_board_descr(board.value, preset)
                eeg = told.get("eeg_channels", [])
                groups = row_groups(told, eeg, "", "brainflow://x", 1.0)
                rows = [row for group in groups for row in group.rows]
                assert len(set(rows)) == len(rows)
                assert not {*eeg, *(told.get(key) for key in TIMING)} & set(rows)
                assert all(group.info.n_chans == len(group.rows) for group in groups)


def test_electrodes_that_are_not_read_as_eeg_are_carried() -> None:
    told = library().BoardShim.get_board_descr(library().BoardIds.CYTON_BOARD.value)
    groups = {group.info.type: group for group in row_groups(told, range(1, 8), "cyton", "brainflow://cyton", 250.0)}
    assert groups["EXG"].rows == (8,)
    assert groups["EXG"].info.ch_names == ("8",)
    assert groups["EXG"].info.units == ("uV",)
    assert groups["ACC"].info.units == ("g",) * 3
    assert groups.keys() == {"EXG", "ACC", "Analog", "Other"}


def test_all_presets_of_the_synthetic_board_come_in_one_session() -> None:
    with closing(open_source("brainflow://synthetic").open()) as stream:
        eeg, carried, infos = read(stream, 300)
    assert not len(carried["Synthetic ppg"][0])
    of_default, of_aux = (carried[name] for name in ("Synthetic ppg", "SyntheticAux accelerometer"))
    assert infos["Synthetic ppg"].url == "brainflow://synthetic#Synthetic ppg"
    assert infos["SyntheticAux accelerometer"].ch_names == ("x", "y", "z")
    ends = {part.end: part.stamps[-1] for part in of_default if len(part)}
    for chunk in eeg:  # samples of one package have one stamp
        assert abs(ends[chunk.end] - chunk.t_last) < 1e-6
    for parts in (of_default, of_aux):
        parts = [part for part in parts if len(part)]
        assert [part.first for part in parts] == [0, *(part.end for part in parts[:-1])]
        assert (np.diff(np.concatenate([part.stamps for part in parts])) >= 0).all()
    assert sum(map(len, of_aux)) > 150


def test_a_muse_brings_motion_and_pulse_from_its_other_presets(tmp_path: Path) -> None:
    files = {
        0: (256, 12, 7, 6),
        1: (52, 3, 8, 7),
        2: (64, 6, 5, 4),
    }  # rate, samples a package, rows of marker and stamp
    for preset, (sfreq, per, n_values, stamp) in files.items():
        index = np.delete(np.arange(2 * sfreq), np.arange(60, 60 + per) if preset == 1 else [])
        rows = np.zeros((len(index), n_values + 1))
        rows[:, 0], rows[:, stamp] = index // per, 1.7e9 + index / sfreq
        rows[:, 1:stamp] = index[:, None]
        np.savetxt(tmp_path / f"{preset}.csv", rows, fmt="%.6f", delimiter="\t")
    paths = "&".join(f"{key}={tmp_path / f'{k}.csv'}" for k, key in enumerate(("file", "file_aux", "file_anc")))
    with closing(open_source(f"brainflow://playback?master_board=muse_2&{paths}").open()) as stream:
        eeg, carried, infos = read(stream, 10**6)
    assert sum(map(len, eeg)) == 512
    assert {name: (info.type, info.sfreq, info.units[0]) for name, info in infos.items()} == {
        "Muse2 other": ("Other", 256.0, ""),
        "Muse2Aux accelerometer": ("ACC", 52.0, "g"),
        "Muse2Aux gyroscope": ("GYRO", 52.0, "deg/s"),
        "Muse2Anc ppg": ("PPG", 64.0, ""),
    }
    for name, sfreq in (("Muse2Aux accelerometer", 52.0), ("Muse2Anc ppg", 64.0)):
        parts = [part for part in carried[name] if len(part)]
        assert sum(part.lost for part in parts) == (3 if sfreq == 52.0 else 0)
        for part in parts:  # each value is its own index
            np.testing.assert_array_equal(part.values[:, 0], np.arange(part.first, part.end))
            late = part.stamps - eeg[0].t_last - (part.values[:, 0] / sfreq - (eeg[0].end - 1) / 256)
            assert np.abs(late).max() < 0.05
