from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from fakes import drain
from scipy import signal

from realtime_mood import clock
from realtime_mood.errors import ConfigError
from realtime_mood.montage import SPREAD
from realtime_mood.sources import open_source
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import Marker

SFREQ = 128.0
CAP = (*SPREAD[:32], "AF7", "AF8")


def of(
    state: str, subject: int, seconds: float, difficulty: str = "easy", ch_names: tuple[str, ...] = CAP
) -> np.ndarray:
    script = Script(((state, 600.0),))
    return VirtualPerson(subject, ch_names, SFREQ, script, difficulty).signal(seconds)


def band_power(x: np.ndarray, low: float, high: float) -> np.ndarray:
    # The median over segments leaves out those with a blink or a burst.
    freqs, power = signal.welch(x, SFREQ, nperseg=256, axis=0, average="median")
    return power[(freqs >= low) & (freqs < high)].sum(axis=0) * (freqs[1] - freqs[0])


@pytest.mark.parametrize("subject", range(5))
def test_spectrum_falls_and_alpha_stands_out_over_the_back(subject):
    person = VirtualPerson(subject, CAP, SFREQ, Script((("rest", 600.0),)))
    x = person.signal(90)
    rms = np.sqrt(band_power(x, 1, 45))
    assert np.all((rms > 3) & (rms < 35))
    assert 5 < np.median(rms) < 25
    density = [np.median(band_power(x, low, high)) / (high - low) for low, high in ((1, 4), (4, 8), (15, 30), (31, 45))]
    assert density == sorted(density, reverse=True)
    assert 0.5 < np.sqrt(np.median(band_power(x, 31, 45))) < 3
    freqs, power = signal.welch(x[:, [CAP.index(name) for name in ("O1", "Oz", "O2")]], SFREQ, nperseg=512, axis=0)
    looked = (freqs > 7) & (freqs < 14)
    peak_hz = freqs[looked][np.argmax(power[looked].mean(axis=1) * freqs[looked])]
    assert abs(peak_hz - person.brain.alpha_hz) < 1.3


WHERE = ("T7", "T8", "Pz", "Oz", "F3", "F4", "Fp1", "Fp2", "AF3", "AF4", "P7", "P8", "PO3", "PO4", "FC5", "FC6")


@cache
def minute(state: str, subject: int) -> np.ndarray:
    """A minute of a state without its first ten seconds, at the electrodes `WHERE`."""
    return of(state, subject, 60, ch_names=WHERE)[1280:]


@pytest.mark.parametrize(
    ("state", "low", "high", "here", "there"),
    [
        ("positive", 14, 31, ("T7", "T8"), ("Pz", "Oz")),
        ("positive", 31, 45, ("T7", "T8"), ("Pz", "Oz")),
        ("positive", 8, 14, ("F4",), ("F3",)),
        ("neutral", 8, 14, ("Pz", "Oz"), ("F3", "F4")),
        ("negative", 31, 45, ("Fp1", "Fp2", "AF3", "AF4"), ("P7", "P8")),
        ("negative", 1, 4, ("Pz", "PO3", "PO4"), ("FC5", "FC6")),
        ("negative", 8, 14, ("F3",), ("F4",)),
    ],
)
def test_a_state_shows_where_the_literature_says(state, low, high, here, there):
    change = []
    for subject in range(6):
        with_state, rest = (band_power(minute(s, subject), low, high) for s in (state, "rest"))
        change.append(np.log(with_state / rest))
    by_name = dict(zip(WHERE, np.mean(change, axis=0), strict=True))
    assert np.mean([by_name[n] for n in here]) > np.mean([by_name[n] for n in there]) + 0.15


def test_what_is_planted_is_what_the_electrodes_show():
    """The map that attention is held against is the change in the signal itself."""
    seconds, of_band = 150.0, {"alpha": (8, 14), "gamma": (31.5, 45)}
    planted = VirtualPerson(3, CAP, SFREQ, difficulty="easy").brain.planted("positive")
    rest, state = (of(name, 3, seconds)[20 * 128 :] for name in ("rest", "positive"))
    for band, edges in of_band.items():
        seen = 0.5 * np.log(band_power(state, *edges) / band_power(rest, *edges))
        k = ("delta", "theta", "alpha", "beta", "gamma").index(band)
        assert np.corrcoef(seen, planted[:, k])[0, 1] > 0.8, band
    assert not VirtualPerson(3, CAP, SFREQ, difficulty="easy").brain.planted("rest").any()
    assert not VirtualPerson(3, CAP, SFREQ, difficulty="none").brain.planted("positive").any()


def test_no_effect_is_exactly_none():
    assert np.array_equal(of("positive", 2, 5, "none"), of("rest", 2, 5, "none"))
    assert not np.array_equal(of("positive", 2, 5), of("rest", 2, 5))


def test_a_person_is_a_number():
    assert np.array_equal(of("rest", 1, 3), of("rest", 1, 3))
    assert not np.allclose(of("rest", 1, 3), of("rest", 2, 3))


def test_artefacts_do_not_know_the_state():
    people = [VirtualPerson(4, CAP, SFREQ, Script(((state, 60.0),)), "easy") for state in ("rest", "negative")]
    for person in people:
        person.signal(7)
    (rest, rest_gain), (negative, negative_gain) = (person.artefacts.block() for person in people)
    assert np.array_equal(rest, negative)
    assert np.array_equal(rest_gain, negative_gain)


def test_eyes_blink_at_the_front():
    x = of("rest", 3, 60)
    slow = signal.sosfilt(signal.butter(2, (1, 8), "bandpass", fs=SFREQ, output="sos"), x - x[0], axis=0)[640:]
    height = dict(zip(CAP, np.quantile(slow, 0.999, axis=0), strict=True))
    assert min(height["Fp1"], height["Fp2"]) > 40 > height["Pz"]


@pytest.mark.parametrize("sfreq", [100.0, 250.0, 1000.0])
def test_any_rate_has_the_same_density(sfreq):
    def density(rate: float) -> float:
        person = VirtualPerson(6, ("Cz", "Pz", "Oz", "P3"), rate, Script((("rest", 60.0),)))
        freqs, power = signal.welch(person.signal(60), rate, nperseg=round(rate), axis=0)
        return float(np.median(power[(freqs > 20) & (freqs < 40)]))

    assert density(sfreq) == pytest.approx(density(256.0), rel=0.35)


@pytest.mark.parametrize(
    "text", ["", "happy:3", "neutral", "neutral:", "neutral:x", "neutral:-1", "neutral:0", "rest:inf", "rest:1,,rest:1"]
)
def test_a_broken_script_is_refused(text):
    with pytest.raises(ConfigError, match="STATE:SECONDS"):
        Script.parse(text)


def test_script_knows_its_states_and_where_they_begin():
    script = Script.parse("neutral:2, positive:1.5", loop=True)
    assert [script.state_at(i, 100.0) for i in (0, 199, 200, 349, 350, 550)] == [
        "neutral", "neutral", "positive", "positive", "neutral", "positive",
    ]  # fmt: skip
    assert script.begins(0, 551, 100.0) == [0, 200, 350, 550]
    assert script.begins(200, 350, 100.0) == [200]
    assert script.n_samples(100.0) is None
    assert Script.parse("neutral:2").n_samples(100.0) == 200


def test_a_given_script_plays_once_with_the_true_state_as_markers_only():
    url = "synthetic://?subject=5&sfreq=128&n_chans=8&script=neutral:2,positive:1.5,positive:1,rest:1&speed=max"
    stream = open_source(url).open()
    chunks = drain(stream)
    assert stream.info.virtual
    assert not stream.info.paced
    assert stream.info.name == "virtual person 5"
    assert stream.info.ch_names == tuple(SPREAD[:8])
    assert [m for c in chunks for m in c.markers] == [
        Marker(0, "neutral"),
        Marker(256, "positive"),
        Marker(576, "rest"),
    ]
    assert all(c.first <= m.index < c.end for c in chunks for m in c.markers)
    assert chunks[-1].end == round(5.5 * 128)


def test_the_default_script_goes_on_unless_told():
    stream = open_source("synthetic://?speed=max&sfreq=100&n_chans=4").open()
    chunks = [stream.read(0.1) for _ in range(65)]
    assert [m for c in chunks for m in c.markers][-1] == Marker(6000, "neutral")
    assert drain(open_source("synthetic://?speed=max&sfreq=100&n_chans=4&loop=0").open())[-1].end == 6000


def test_electrodes_by_name_and_without_some():
    everyone = open_source("synthetic://?channels=T3,Fp1,Cz,O2,Pz&speed=max").open()
    some = open_source("synthetic://?channels=T7,Fp1,Cz,O2,Pz&drop=Cz&speed=max").open()
    assert everyone.info.ch_names == ("T7", "Fp1", "Cz", "O2", "Pz")
    assert some.info.ch_names == ("T7", "Fp1", "O2", "Pz")
    assert np.array_equal(everyone.read(0.1).data[:, [0, 1, 3, 4]], some.read(0.1).data)


@pytest.mark.parametrize(
    "query",
    ["faults=dropp", "faults=flat:Q9", "faults=kill", "difficulty=impossible", "sfreq=50", "n_chans=3", "n_chans=65",
     "channels=Fp1,Fp2,Q9,Cz", "channels=Cz,Pz", "channels=T3,T7,Cz,Pz", "n_chans=5&channels=Fp1,Fp2,Oz,Cz", "drop=Iz",
     "units=mV", "subject=-1", "script=happy:3", "n_chans=4&drop=Fp1"],
)  # fmt: skip
def test_a_wrong_word_is_named(query):
    with pytest.raises(ConfigError):
        open_source(f"synthetic://?{query}")


def test_a_target_is_refused():
    with pytest.raises(ConfigError, match="before the"):
        open_source("synthetic://3?speed=max")


def test_chunks_come_when_they_are_due(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    stream = open_source("synthetic://?sfreq=250&n_chans=4").open()
    assert stream.read(0.0) is None
    for k in range(1, 51):  # a schedule, not waits added up: chunk k ends 0.04 k after opening
        now[0] = 100.0 + 0.04 * k + 1e-9
        chunk = stream.read(0.0)
        assert (chunk.first, len(chunk)) == (10 * (k - 1), 10)
        assert chunk.t_last == pytest.approx(100.0 + 0.04 * k)
        assert stream.read(0.0) is None
    stream.close()
    assert stream.read(5.0) is None
