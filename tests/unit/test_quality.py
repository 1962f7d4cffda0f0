"""What electrodes do wrong, planted: it is named, masked as soon as it must be, and does not flicker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, FakeNetwork, cut, pink, pipeline

from benchmarks.contact import BAD as BAD_CONTACT
from benchmarks.contact import GOOD, archive, contacts, judged
from realtime_mood.dsp.quality import SCORES, line_rms
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.montage import SPREAD
from realtime_mood.pipeline import Pipeline
from realtime_mood.types import Abstained, Chunk, Estimate, Fault, Impedance, Why

SFREQ, AT, BAD = INFO.sfreq, 20, 2
SIXTEEN = replace(INFO, ch_names=tuple(SPREAD[:16]))
T = np.arange(round(32 * SFREQ)) / SFREQ


def spoilt(how, n_chans=16):
    """32 s of good signal, and the same with something done to it."""
    good = pink(len(T), n_chans, offset_uv=500)
    bad = good.copy()
    how(bad)
    return good, bad


def run(signal, network=None, size=50):
    info = SIXTEEN if signal.shape[1] == 16 else INFO
    p = pipeline(info, network)
    return p, [(w, p.read(w)) for c in cut(signal, [size]) for w in p.push(c)]


def course(found, channel=BAD):
    """(s, fault) of each change of what is said of `channel`, once there are estimates."""
    said = [(w.end / SFREQ, w.quality.faults[channel]) for w, _ in found if w.end >= 8 * SFREQ]
    return [now for before, now in zip([(0, None), *said], said, strict=False) if now[1] is not before[1]]


def between(start, stop):
    return slice(round(start * SFREQ), round(stop * SFREQ))


def step(x):
    x[between(AT + 0.065, 32), BAD] += 4000


def glitch(x):
    x[round((AT + 0.065) * SFREQ), BAD] += 4000


@pytest.mark.parametrize("sfreq", [128.0, 200.0, 1000.0])
@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_line_noise_is_measured_beside_an_offset_of_60_millivolts(hz, sfreq):
    t = np.arange(round(sfreq)) / sfreq
    signal = np.outer(np.sqrt(2) * np.sin(2 * np.pi * hz * t), [0, 1, 40]) + np.array([0, 60_000, -60_000])
    signal[:, 0] += 30 * np.sin(2 * np.pi * 10 * t)
    np.testing.assert_allclose(line_rms(signal, sfreq), [0, 1, 40], atol=1e-6)
    assert line_rms(signal[:20], sfreq).shape == (3,)


@pytest.mark.parametrize("how", [step, glitch])
def test_a_step_of_4_millivolts_leaves_no_transient_and_masks_the_electrode_while_it_lasts(how):
    good, bad = spoilt(how)
    (p, found), (q, _) = run(bad), run(good)
    apart = np.abs(p.clean.latest(len(T)).data - q.clean.latest(len(T)).data)
    assert apart[between(AT + 0.565, 32)].max() < 5.0
    assert np.delete(apart, BAD, axis=1).max() == 0
    assert course(found) == [(AT + 0.25, Fault.RAILED), (AT + 1.75, None)]
    assert all(isinstance(r, Estimate) for w, r in found if w.end >= 8 * SFREQ)


def test_when_every_electrode_jumps_there_is_no_estimate_until_it_is_over():
    def everywhere(x):
        x[between(AT + 0.065, 32)] += 4000

    _, found = run(spoilt(everywhere)[1])
    silent = [w.end / SFREQ for w, r in found if w.end > 8 * SFREQ and not isinstance(r, Estimate)]
    assert silent == [AT + 0.25 * k for k in range(1, 7)]
    assert {r.why for w, r in found if isinstance(r, Abstained) and w.end > 8 * SFREQ} == {Why.BAD_SIGNAL}


def test_mains_and_noise_are_no_jumps_however_large():
    rng = np.random.default_rng(0)

    def loud(x):
        x[between(AT, 32), 1] += 3000 * np.sin(2 * np.pi * 50 * T[between(AT, 32)])
        x[between(AT, 32), BAD] += 600 * rng.standard_normal(len(T[between(AT, 32)]))

    _, found = run(spoilt(loud)[1])
    assert found[-1][0].quality.faults[1] is Fault.LINE
    assert found[-1][0].quality.faults[BAD] in (Fault.MUSCLE, Fault.RAILED)


@pytest.mark.parametrize("value", [0.0, 187_500.0, np.nan, np.inf, -np.inf])
def test_a_dead_electrode_is_masked_within_a_hop_and_none_of_it_reaches_the_network(value):
    def die(x):
        x[between(AT, AT + 3), BAD] = value

    network = FakeNetwork()
    good, bad = spoilt(die)
    _, found = run(bad, network)
    assert course(found)[0] == (AT + 0.25, Fault.FLAT)
    at, last = course(found)[-1]
    assert last is None
    assert AT + 4.5 <= at <= AT + 6
    run(good, other := FakeNetwork())
    back = next(k for k, f in enumerate(network.seen) if f.t_last > at - 1e-3)
    seen, clean = network.seen[back], other.seen[back]
    assert seen.quality.good.all()
    assert np.abs(seen.de - clean.de)[:, BAD].max() < 4  # the network's clip is at 8; dead seconds would reach it
    assert np.abs(seen.patches[BAD]).max() < 8
    assert np.array_equal(np.delete(seen.patches, BAD, 0), np.delete(clean.patches, BAD, 0))


def test_the_largest_number_there_is_harms_one_electrode_for_a_moment():
    def huge(x):
        x[between(AT, AT + 0.02), BAD] = 3e38

    p, found = run(spoilt(huge)[1])
    assert np.isfinite(p.clean.latest(len(T)).data).all()
    assert course(found)[0] == (AT + 0.25, Fault.RAILED)
    assert course(found)[-1][0] <= AT + 3
    assert course(found)[-1][1] is None


def test_a_short_burst_is_no_fault_a_lasting_one_is_and_it_goes_when_it_has_been_clear():
    rng = np.random.default_rng(3)

    def bursts(x):
        for start, stop in ((12, 12.2), (AT, AT + 5)):
            x[between(start, stop), BAD] += 60 * rng.standard_normal(len(T[between(start, stop)]))

    _, found = run(spoilt(bursts)[1])
    (came, fault), (went, none) = course(found)
    assert fault is Fault.MUSCLE
    assert AT + 0.75 <= came <= AT + 2
    assert none is None
    assert AT + 6 <= went <= AT + 8


def test_what_hovers_at_a_threshold_does_not_flicker():
    rng = np.random.default_rng(4)

    def hover(x):  # gamma wanders between 0.8 and 1.2 times the threshold, once a second
        level = 40 * (1 + 0.2 * np.sin(2 * np.pi * T))
        x[:, BAD] += (level * rng.standard_normal(len(T))).astype(np.float32)

    assert len(course(run(spoilt(hover)[1])[1])) <= 2


def test_an_impedance_holds_from_its_sample_on_however_the_stream_is_cut():
    events = [(2100, 1000.0), (4100, 100.0), (5100, np.nan)]
    signal, scores = pink(len(T), 8, offset_uv=500), []
    for size in (7, 100, 6400):
        p, found = pipeline(), []
        for chunk in cut(signal, [size]):
            said = tuple(
                Impedance(at, np.where(np.arange(8) == BAD, kohm, np.nan))
                for at, kohm in events
                if chunk.first <= at < chunk.end
            )
            found += [(w, p.read(w)) for w in p.push(replace(chunk, impedances=said))]
        (came, fault), (went, none) = course(found)
        assert (fault, none) == (Fault.IMPEDANCE, None)
        assert 2100 / SFREQ < came <= 2100 / SFREQ + 1.25
        assert 4100 / SFREQ < went <= 4100 / SFREQ + 1.75
        scores.append([w.quality.scores[BAD] for w, _ in found])
    assert scores[0] == scores[1] == scores[2]
    assert scores[0][75] == pytest.approx(SCORES[Fault.IMPEDANCE])
    assert scores[0][95] < 0.6 < 0.9 < scores[0][-1]  # 100 kΩ lowers the score; unknown does not


def test_the_judgement_does_not_depend_on_which_windows_are_read():
    _, bad = spoilt(step)
    p, q = (pipeline(SIXTEEN) for _ in range(2))
    every = [p.read(w).quality for c in cut(bad, [50]) for w in p.push(c)]
    few = [q.read(w).quality for k, w in enumerate(w for c in cut(bad, [50]) for w in q.push(c)) if k % 7 == 0]
    assert [x.faults for x in every[::7]] == [x.faults for x in few]
    assert all(np.array_equal(x.scores, y.scores) for x, y in zip(every[::7], few, strict=True))


def mains(*hz):
    x = pink(len(T), 8, offset_uv=60_000).astype(np.float64)
    return x + sum(5 * np.sin(2 * np.pi * f * T)[:, None] for f in hz)


@pytest.mark.parametrize(
    ("present", "chosen"), [((), (50.0, 60.0)), ((50,), (50.0,)), ((60,), (60.0,)), ((50, 60), (50.0, 60.0))]
)
def test_auto_takes_out_the_mains_it_finds_from_one_sample_on(present, chosen):
    p = Pipeline(INFO, pipeline().spec, None, "auto")
    signal = mains(*present)
    p.push(Chunk(signal[:399], 0, 0.0))
    assert p.notch_hz == (50.0, 60.0)
    p.push(Chunk(signal[399:400], 399, 0.0))
    assert p.notch_hz == chosen


def test_auto_decides_once_and_not_before_it_has_seen_two_unbroken_seconds():
    p, signal = Pipeline(INFO, pipeline().spec, None, "auto"), mains(50)
    p.push(Chunk(signal[:300], 0, 0.0))
    p.push(Chunk(signal[1000:1399], 1000, 0.0, lost=700))
    assert p.notch_hz == (50.0, 60.0)
    p.push(Chunk(signal[1399:1401], 1399, 0.0))
    assert p.notch_hz == (50.0,)
    p.push(Chunk(mains(60)[3000:5000], 3000, 0.0, lost=1599))
    assert p.notch_hz == (50.0,)


def test_auto_changes_no_feature_that_the_network_would_see():
    signal, de = mains(50), []
    for notch in ((50.0, 60.0), "auto", (50.0,)):
        p = Pipeline(INFO, pipeline().spec, None, notch)
        windows = [w for c in cut(signal, [50]) for w in p.push(c) if w.end >= 8 * SFREQ]
        de.append(np.stack([p.features(w).de for w in windows]))
    assert np.abs(de[0] - de[1]).max() < 0.05
    assert np.abs(de[2] - de[1])[24:].max() < 0.01


def test_a_good_recording_is_hardly_masked(data_dir):
    _, info, signal, _ = next(archive(data_dir / "eegmat_dev24_125hz.npz"))
    faults = [f for _, quality in judged(info, signal, FeatureSpec(), 8.0) for f in quality.faults]
    assert len(faults) > 50_000 / 4
    assert np.mean([f is not None for f in faults]) < 0.01


def test_what_a_headset_calls_bad_contact_is_masked_and_what_it_calls_good_is_not(data_dir):
    told = contacts(data_dir / "muse_sequence_learning_220hz.npz", people={"51"})
    label, score, masked = told[:, 1], told[:, 2], told[:, 3]
    assert masked[label == GOOD].mean() < 0.05
    assert score[label == GOOD].mean() - score[label == BAD_CONTACT].mean() > 0.3
