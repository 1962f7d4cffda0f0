"""Planted fixations, saccades, blinks and pupils are measured, at any rate; virtual eyes follow their state."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.dsp.eye import FEATURES, SEED_IV, EyeExtractor, by_step, eye_features
from realtime_mood.errors import StreamMismatch
from realtime_mood.sources.synthetic.person import CuedScript, Script, VirtualPerson

NAMES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
RATES = (30.0, 59.94, 120.0, 250.0, 1000.0)


def planted(sfreq: float, seconds: float = 30.0, tremor: float = 0.02, degrees: float = 5.0) -> np.ndarray:
    """Every half second 50 ms to the other of two points, blinks of 0.2 s every 5 s, a pupil of 4 mm ± 0.3."""
    t = np.arange(round(seconds * sfreq)) / sfreq
    k, within = np.divmod(t + 1e-9, 0.5)
    part = np.clip((within - 0.45) / 0.05, 0, 1)
    x = degrees * np.where(k % 2 == 0, part, 1 - part)
    noise = tremor * np.random.default_rng(0).standard_normal((len(t), 2))
    pupil = 4 + 0.3 * np.sin(2 * np.pi * 0.5 * t)
    rows = np.column_stack([x + noise[:, 0], noise[:, 1], pupil])
    rows[(t % 5 >= 2.1) & (t % 5 < 2.3 - 1e-9)] = np.nan
    return rows


def named(features: np.ndarray) -> dict[str, float]:
    return dict(zip(FEATURES, features.tolist(), strict=True))


def test_there_are_33_features_and_31_of_seed_iv():
    assert len(set(FEATURES)) == 33
    assert len(SEED_IV) == 31


@pytest.mark.parametrize("sfreq", RATES)
def test_what_is_planted_is_measured_at_any_rate(sfreq):
    features, quality = by_step(planted(sfreq), sfreq)
    assert features.shape == (30, 33)
    found, sample = named(features[20]), 1 / sfreq
    assert quality[20] == pytest.approx(0.96, abs=0.01)
    assert found["pupil mean x"] == found["pupil mean y"] == pytest.approx(4.0, abs=0.02)
    assert found["pupil sd x"] == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    entropies = [found[f"pupil DE {band} Hz x"] for band in ("0-0.2", "0.2-0.4", "0.4-0.6", "0.6-1")]
    assert np.argmax(entropies) == 2
    assert entropies[2] == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 0.3**2 / 2), abs=0.35)
    assert found["saccade amplitude mean"] == pytest.approx(5.0, abs=0.1)
    assert found["saccade duration mean"] == pytest.approx(0.05, abs=max(0.012, sample))
    assert found["saccade rate"] == pytest.approx(20 / 9.6, abs=0.15)
    assert found["saccade mean latency"] == pytest.approx(0.45, abs=max(0.012, sample))
    assert found["fixation duration max"] == pytest.approx(0.45, abs=max(0.012, 2 * sample))
    assert found["blink rate"] == pytest.approx(2 / 9.6, abs=0.01)
    assert found["blink duration mean"] == pytest.approx(0.2, abs=sample)
    assert found["blink duration sd"] == pytest.approx(0.0, abs=sample)
    assert found["dispersion mean y"] == pytest.approx(0.08, abs=0.06)


def test_a_still_eye_makes_no_saccades_and_one_long_fixation():
    rows = np.column_stack([np.full((600, 2), 3.0), np.full(600, 4.0)])
    found = named(eye_features(rows, 60.0))
    assert found["fixation duration max"] == pytest.approx(10.0, abs=0.1)
    zero = ("saccade rate", "saccade amplitude mean", "saccade duration sd", "blink rate", "fixation dispersion total")
    assert not any(found[name] for name in zero)


def test_the_two_axes_of_a_pupil_are_told_apart():
    rows = np.column_stack([np.zeros((600, 2)), np.full(600, 4.0), np.full(600, 3.0)])
    found = named(eye_features(rows, 60.0))
    assert (found["pupil mean x"], found["pupil mean y"]) == (4.0, 3.0)


@pytest.mark.parametrize("none", [np.nan, 0.0])
def test_where_no_eye_is_seen_there_are_no_features(none):
    rows = planted(60.0, tremor=0.0)
    rows[600:1200, 2] = none
    features, quality = by_step(rows, 60.0)
    assert quality[19] == 0.0
    assert np.isnan(features[19]).all()
    assert quality[9] == pytest.approx(0.96, abs=0.01)
    assert named(features[14])["blink rate"] < 0.3  # ten seconds without an eye are no blink
    assert np.isfinite(np.delete(features, 19, axis=0)).all()


def test_a_step_knows_nothing_of_what_follows():
    rows = planted(60.0)
    other = np.concatenate([rows[:900], rows[900:][::-1] * 2])
    np.testing.assert_array_equal(by_step(rows, 60.0)[0][:15], by_step(other, 60.0)[0][:15])


@pytest.mark.parametrize("sfreq", [25.0, 2000.0])
def test_rates_that_no_saccade_can_be_seen_at_are_refused(sfreq):
    with pytest.raises(StreamMismatch, match=f"the tracker has {sfreq:g} Hz"):
        EyeExtractor(sfreq)


def person(script: str, difficulty: str = "easy", subject: int = 3) -> VirtualPerson:
    return VirtualPerson(subject, NAMES, 128.0, Script.parse(script), difficulty)


def test_virtual_eyes_follow_the_state_as_much_as_the_difficulty_says():
    def change(difficulty: str) -> np.ndarray:
        found = []
        for subject in range(4):
            features, _ = by_step(
                person("neutral:40,positive:40,negative:40", difficulty, subject).eyes.signal(120), 60
            )
            wanted = [FEATURES.index(n) for n in ("pupil mean x", "fixation duration mean", "saccade amplitude mean")]
            neutral, positive, negative = (features[at + 15 : at + 40, wanted].mean(axis=0) for at in (0, 40, 80))
            found.append([positive - neutral, negative - neutral])
        return np.mean(found, axis=0)

    easy, medium, none = map(change, ("easy", "medium", "none"))
    assert (np.sign(easy) == [[1, -1, 1], [1, 1, -1]]).all()
    assert (np.abs(easy) > np.abs(medium)).all()
    assert (np.abs(none) < 0.5 * np.abs(easy)).all()


def test_virtual_eyes_are_the_same_again_however_they_are_cut_and_change_no_eeg():
    alone, both = person("neutral:5,positive:10"), person("neutral:5,positive:10")
    eyes = both.eyes.signal(15)
    assert eyes.shape == (900, 3)
    np.testing.assert_array_equal(both.signal(15), alone.signal(15))
    np.testing.assert_array_equal(np.concatenate([alone.eyes.take(n) for n in (0, 7, 200, 693)]), eyes)
    assert np.nanmax(np.abs(eyes - person("neutral:5,positive:10", subject=4).eyes.signal(15))) > 0.1


def test_lids_close_when_the_eeg_has_a_blink():
    both = person("rest:60")
    lost = np.isnan(both.eyes.signal(60)).all(axis=1)
    frontal = both.signal(60)[:, :2].mean(axis=1)
    frontal = frontal - np.median(frontal)
    closed = lost[(np.arange(len(frontal)) * 60 / 128).astype(int)]
    assert 0.02 < lost.mean() < 0.15
    assert frontal[closed].mean() > frontal[~closed].mean() + 30


def test_eyes_follow_a_state_that_is_set_on_the_way():
    script = CuedScript("neutral")
    led, still = VirtualPerson(3, NAMES, 128.0, script, "easy"), person("neutral:30")
    before = led.eyes.signal(10)
    led.signal(10)
    script.lead("negative")
    found, usual = np.concatenate([before, led.eyes.signal(20)]), still.eyes.signal(30)
    wider = found[:, 2] - usual[:, 2]
    assert not np.nan_to_num(wider[:600]).any()
    assert 0.2 < np.nanmean(wider[1200:]) < 0.8
