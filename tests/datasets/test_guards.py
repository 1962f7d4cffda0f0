"""Scale of recordings, events outside them, and units of onsets."""

from __future__ import annotations

import json

import numpy as np
import pytest

from realtime_mood.errors import MoodError
from realtime_mood.models.datasets.guards import check_spans, onset_unit, scale_factor, typical_sd
from realtime_mood.models.datasets.trials import Span
from realtime_mood.sources.synthetic.person import VirtualPerson


@pytest.fixture(scope="module")
def eeg() -> np.ndarray:
    return VirtualPerson(9720, ("Fp1", "C3", "Pz", "O2"), 128.0).signal(12)


def test_eeg_in_microvolts_passes(eeg):
    assert 4 < typical_sd(eeg, 128.0) < 60
    assert scale_factor(eeg, 128.0, "a file") == 1.0


@pytest.mark.parametrize(
    ("times", "mistake"),
    [(1e-6, "volts taken for µV"), (1e-3, "mV taken for µV"), (1e3, "µV for mV"), (1e6, "for volts")],
)
def test_a_wrong_unit_is_named(eeg, times, mistake):
    with pytest.raises(MoodError, match=rf"a file · its channels have a typical sd of .*{mistake}.* · check the unit"):
        scale_factor(eeg * times, 128.0, "a file")


def test_only_a_declared_mistake_is_corrected(eeg):
    assert scale_factor(eeg * 1e-6, 128.0, "a file", [1e6]) == 1e6
    assert scale_factor(eeg, 128.0, "a file", [1e6]) == 1.0
    with pytest.raises(MoodError, match="mV taken for µV"):
        scale_factor(eeg * 1e-3, 128.0, "a file", [1e6])


def test_offset_drift_dead_channels_and_gaps_do_not_matter(eeg):
    x = eeg + 4200 + 50 * np.arange(len(eeg))[:, None] / 128
    x[:, 1] = 7.0
    x[300:310] = np.nan
    assert typical_sd(x, 128.0) == pytest.approx(typical_sd(eeg, 128.0), rel=0.5)


def test_nothing_is_said_of_what_does_not_move():
    assert scale_factor(np.full((2000, 3), 5.0), 128.0, "a file") == 1.0
    assert scale_factor(np.empty((0, 3)), 128.0, "a file") == 1.0


@pytest.mark.parametrize(
    "name", ["eegmat_dev24_125hz", "dasps_epoc_128hz", "biohack2025_muse_256hz", "ssvep_exo_256hz"]
)
def test_the_scale_of_real_recordings_is_plausible(data_dir, name):
    with np.load(data_dir / f"{name}.npz") as archive:
        meta = json.loads(str(archive["meta"]))
        for entry in map(json.loads, archive["index"][::4]):
            signal = archive[entry["key"]].T * np.float32(meta["uV_per_lsb"])
            assert scale_factor(signal, float(meta["fs"]), entry["key"]) == 1.0


def test_trials_inside_pass_and_rounding_is_allowed():
    check_spans([Span(0, 5), Span(5, 60.4)], 60.0, "a file")


@pytest.mark.parametrize("span", [Span(100, 2003), Span(-20, 4)])
def test_a_trial_outside_is_refused(span):
    with pytest.raises(
        MoodError, match=r"a file · 1 of 2 events lie outside it: one from .* in a recording of 136.0 s"
    ):
        check_spans([Span(1, 2), span], 136.0, "a file")


@pytest.mark.parametrize("stop", [3.0, 2.0, float("nan")])
def test_a_trial_without_length_is_refused(stop):
    with pytest.raises(MoodError, match=r"at 3.0 s has no length"):
        check_spans([Span(3, stop)], 60.0, "a file")


@pytest.mark.parametrize(
    ("last", "unit"),
    [(120.0, "s"), (130.5, "s"), (29_000, "samples"), (40_000, "unknown"), (2003.0, "unknown"), (float("nan"), "s")],
)
def test_the_unit_of_onsets(last, unit):
    assert onset_unit([1.0, 50.0, last], 250.0, 130.0) == unit
