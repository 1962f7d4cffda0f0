"""Measures of the body: planted beats, conductance, breaths and movement are found, and broken signals are invalid."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.aux_ring import AuxRing
from realtime_mood.auxiliary import AuxChunk, AuxInfo, SenderClock
from realtime_mood.body.measure import BodyMeasure
from realtime_mood.body.monitor import BodyMonitor, measures_at
from realtime_mood.body.signals import signals_of

T = 1000.0  # when the planted signals end (s)
RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def _the_same_noise_in_any_order():
    RNG.bit_generator.state = np.random.default_rng(5).bit_generator.state


def info(kind: str, sfreq: float, labels: tuple[str, ...] = ("",), units: tuple[str, ...] | None = None) -> AuxInfo:
    return AuxInfo(f"lsl://{kind}", kind, kind, labels, units or ("",) * len(labels), sfreq)


def ring_of(about: AuxInfo, values: np.ndarray, stamps: np.ndarray) -> AuxRing:
    ring = AuxRing(about)
    rows = np.asarray(values, np.float32).reshape(len(stamps), -1)
    ring.write(AuxChunk(rows, stamps, stamps, 0, SenderClock(0.0, 0.0)))
    return ring


def times(sfreq: float, seconds: float = 60.0) -> np.ndarray:
    return T - np.arange(round(seconds * sfreq))[::-1] / sfreq


def measured(*rings: AuxRing, t: float = T) -> dict[str, BodyMeasure]:
    return {it.name: it for it in measures_at([(r, s) for r in rings for s in signals_of(r.info)], t)}


def beats(rate: float, sd_s: float) -> np.ndarray:
    """Beats whose intervals vary by so much (s, standard deviation), up to after `T`."""
    intervals = 60 / rate + sd_s * RNG.standard_normal(round(80 * rate / 60))
    return T + 1 - np.cumsum(intervals)[::-1]


def pulse_wave(t: np.ndarray, at: np.ndarray) -> np.ndarray:
    w = np.sqrt(np.median(np.diff(at)) / 0.85)  # waves are shorter in a faster pulse
    return sum(
        np.exp(-0.5 * ((t - b) / (0.1 * w)) ** 2) + 0.4 * np.exp(-0.5 * ((t - b - 0.28 * w) / (0.12 * w)) ** 2)
        for b in at
    )


def electrocardiogram(t: np.ndarray, at: np.ndarray) -> np.ndarray:
    return sum(np.exp(-0.5 * ((t - b) / 0.012) ** 2) + 0.25 * np.exp(-0.5 * ((t - b - 0.25) / 0.05) ** 2) for b in at)


def true_rate(at: np.ndarray) -> float:
    return 60 / float(np.diff(at[(at > T - 10.5) & (at < T - 0.5)]).mean())


def true_rmssd(at: np.ndarray) -> float:
    return 1e3 * float(np.sqrt(np.mean(np.diff(np.diff(at[(at > T - 31) & (at < T)])) ** 2)))


@pytest.mark.parametrize("rate", [48, 72, 110, 160])
@pytest.mark.parametrize(("kind", "sfreq", "wave"), [("PPG", 64.0, pulse_wave), ("ECG", 250.0, electrocardiogram)])
def test_planted_beats_give_rate_and_variability(kind, sfreq, wave, rate):
    at = beats(rate, 0.02)
    t = times(sfreq)
    sign = -1 if rate == 72 else 1  # light that is reflected falls with each beat
    found = measured(ring_of(info(kind, sfreq), sign * wave(t, at) + 0.02 * RNG.standard_normal(len(t)), t))
    assert found["heart_rate"].value == pytest.approx(true_rate(at), abs=1.0)
    assert found["heart_rate"].quality > 0.7
    if rate < 150:
        assert found["rmssd"].value == pytest.approx(true_rmssd(at), abs=6 if kind == "PPG" else 2)


@pytest.mark.parametrize("trouble", ["noise", "drift of the sensor", "movement", "white noise alone"])
@pytest.mark.parametrize("kind", ["PPG", "ECG"])
def test_a_noisy_pulse_is_invalid_and_not_wrong(kind, trouble):
    sfreq, wave = (64.0, pulse_wave) if kind == "PPG" else (250.0, electrocardiogram)
    for _ in range(4):
        at, t = beats(70, 0.03), times(sfreq)
        noise = RNG.standard_normal(len(t))
        clean = wave(t, at)
        x = {
            "noise": clean + 0.8 * noise, "drift of the sensor": clean + np.cumsum(0.5 * noise),
            "movement": clean + 3 * np.convolve(noise, np.hanning(int(sfreq / 3)), "same") / sfreq * 16,
            "white noise alone": noise,
        }[trouble]  # fmt: skip
        found = measured(ring_of(info(kind, sfreq), x, t))
        assert found["heart_rate"].value is None or abs(found["heart_rate"].value - true_rate(at)) < 3
        assert found["heart_rate"].why in ("", "noisy")
        assert found["rmssd"].value is None


def test_the_best_channel_of_a_pulse_is_used():
    at, t = beats(80, 0.02), times(64.0)
    rows = np.column_stack([RNG.standard_normal(len(t)), np.zeros(len(t)), 1000 - 50 * pulse_wave(t, at)])
    found = measured(ring_of(info("PPG", 64.0, ("PPG1", "PPG2", "PPG3")), rows, t))
    assert found["heart_rate"].value == pytest.approx(true_rate(at), abs=1)


def test_each_reason():
    at, t = beats(70, 0.02), times(64.0)
    x, ppg = pulse_wave(t, at), info("PPG", 64.0)

    def why(values: np.ndarray, stamps: np.ndarray, about: AuxInfo = ppg, name: str = "heart_rate") -> str:
        return measured(ring_of(about, values, stamps))[name].why

    lost = (t < T - 9) | (t > T - 3)
    assert why(x, t) == ""
    assert why(x[lost], t[lost]) == "noisy"  # a dropout
    assert why(x, t - 5) == "no signal"
    assert why(x[t > T - 6], t[t > T - 6]) == "settling"
    assert why(np.where(t > T - 4, 0.5, x), t) == "flat"
    assert why(np.where(t > T - 4, np.nan, x), t) == "no signal"
    assert why(x[::8], t[::8], info("PPG", 8.0)) == "unsuitable rate"
    assert why(x, T - (T - t) / 4) == "unsuitable rate"  # a recording played four times as fast
    assert why(np.abs(x[:, None]) + 3, t, info("EDA", 64.0), "skin_conductance") == "unknown unit"
    assert why(x + 500, t, info("EDA", 64.0, ("EDA",), ("uS",)), "skin_conductance") == "out of range"
    assert measured(AuxRing(ppg))["heart_rate"].why == "no signal"


@pytest.mark.parametrize(("unit", "convert"), [("µS", lambda us: us), ("nS", lambda us: 1e3 * us),
                                               ("kOhm", lambda us: 1e3 / us)])  # fmt: skip
def test_conductance_and_its_responses(unit, convert):
    t = times(8.0)
    starts = T - np.array([40, 33, 26, 12, 5])  # five responses in 50 s, and ten too small
    small = T - 45 + 4.3 * np.arange(10)

    def response(start: float, size: float) -> np.ndarray:
        since = np.maximum(t - start, 0)
        return size * 2.0 * (np.exp(-since / 4) - np.exp(-since / 1))

    us = 5 + sum(response(s, 0.3) for s in starts) + sum(response(s, 0.01) for s in small)
    found = measured(ring_of(info("EDA", 8.0, ("GSR",), (unit,)), convert(us + 0.002 * RNG.standard_normal(len(t))), t))
    assert found["skin_conductance"].value == pytest.approx(np.median(us[t > T - 10]), abs=0.02)
    assert found["skin_responses"].value == pytest.approx(5 * 60 / 50, abs=0.1)
    steps = us + 3.0 * (np.arange(len(t)) // 6 % 2)  # a loose electrode
    loose = measured(ring_of(info("EDA", 8.0, ("GSR",), (unit,)), convert(steps), t))
    assert (loose["skin_conductance"].why, loose["skin_responses"].why) == ("noisy", "noisy")


def test_breaths_and_noise():
    t = times(25.0)
    breaths = np.sin(2 * np.pi * np.cumsum(0.25 + 0.03 * np.sin(t / 7)) / 25.0)
    found = measured(ring_of(info("Respiration", 25.0), breaths + 0.1 * RNG.standard_normal(len(t)), t))
    assert found["respiration_rate"].value == pytest.approx(15, abs=1.2)
    noise = measured(ring_of(info("Respiration", 25.0), RNG.standard_normal(len(t)), t))
    assert noise["respiration_rate"].why == "noisy"


@pytest.mark.parametrize(("unit", "factor"), [("g", 1.0), ("m/s^2", 9.80665), ("mg", 1e3)])
def test_movement_is_what_is_not_gravity(unit, factor):
    t = times(52.0)
    shaken = np.where(t > T - 10, 0.3 * np.sin(2 * np.pi * 3 * t), 0.0)
    rows = factor * np.column_stack([shaken, np.full(len(t), 0.6), np.full(len(t), -0.8)])
    rows = rows + factor * 0.002 * RNG.standard_normal(rows.shape)
    ring = ring_of(info("ACC", 52.0, ("X", "Y", "Z"), (unit,) * 3), rows, t)
    assert measured(ring)["movement"].value == pytest.approx(0.3 / np.sqrt(2), rel=0.05)
    assert measured(ring, t=T - 15)["movement"].value < 0.01
    assert measured(ring_of(info("ACC", 52.0, ("X",)), rows[:, :1], t))["movement"].why == "unknown unit"


@pytest.mark.parametrize(("kind", "labels", "expected"), [
    ("PPG", ("PPG1", "PPG2", "PPG3"), {"ppg": (0, 1, 2)}),
    ("GYRO", ("X", "Y", "Z"), {}),
    ("Physio", ("ECG", "RESP", "EDA"), {"ecg": (0,), "skin": (2,), "breath": (1,)}),
    ("Accelerometer", ("", "", ""), {"motion": (0, 1, 2)}),
    ("Gaze", ("x", "y", "confidence"), {}),
    ("Motion", ("AccX", "AccY", "AccZ", "GyroX"), {"motion": (0, 1, 2)}),
])  # fmt: skip
def test_signals_by_label_or_type(kind, labels, expected):
    assert {it.kind: it.channels for it in signals_of(info(kind, 64.0, labels))} == expected
    assert not signals_of(AuxInfo("lsl://m", "m", kind, labels, labels, 0.0, "string"))


def test_a_second_is_measured_once_it_is_complete_or_late():
    t = times(64.0)
    ring = ring_of(info("PPG", 64.0), pulse_wave(t, beats(70, 0.02)), t)
    monitor = BodyMonitor()
    assert monitor.readings([ring], T - 0.8) == []  # the first second may have begun before the stream
    assert [t for t, _, _ in monitor.readings([ring], T + 0.2)] == [T]
    assert monitor.readings([ring], T + 1.2) == []  # its samples may come yet
    assert [t for t, _, _ in monitor.readings([ring], T + 2.3)] == [T + 1, T + 2]
    assert monitor.readings([ring], T + 60.5) == []  # the computer slept
    assert [t for t, _, _ in monitor.readings([ring], T + 61.1)] == [T + 61]
    assert BodyMonitor().readings([], T) == []
