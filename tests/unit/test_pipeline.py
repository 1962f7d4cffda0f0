"""From chunks to readings on planted truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, FakeNetwork, cut, pink, pipeline

from realtime_mood.dsp.filters import Filters
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import band_power, differential_entropy
from realtime_mood.errors import StreamMismatch
from realtime_mood.montage import SPREAD
from realtime_mood.types import Abstained, Chunk, Estimate, Fault, Impedance, Why

SFREQ = INFO.sfreq


def readings(chunks, p=None):
    p = p or pipeline()
    return [p.read(w) for c in chunks for w in p.push(c)]


def why(reading):
    return reading.why if isinstance(reading, Abstained) else None


def with_hole(signal, at, n):
    first = cut(signal[:at], [100])
    return [*first, Chunk(signal[at + n :], at + n, (len(signal) - 1) / SFREQ, lost=n)]


@pytest.mark.parametrize("sfreq", [125.0, 200.0, 250.0, 256.0, 500.0])
def test_one_reading_a_hop_and_the_grid_never_drifts(sfreq):
    info = replace(INFO, sfreq=sfreq)
    ends = [r.end for r in readings(cut(pink(round(30 * sfreq), 8), [37], sfreq), pipeline(info))]
    assert ends == [round(k * 0.25 * sfreq) for k in range(1, 121)]


def test_settling_lasts_until_filters_and_context_are_full():
    found = readings(cut(pink(2400, 8), [50]))
    assert [why(r) for r in found[:31]] == [Why.SETTLING] * 31
    assert all(isinstance(r, Estimate) for r in found[31:])  # from 8 s on
    assert [round(r.coverage, 2) for r in found[31:40:4]] == [0.4, 0.5, 0.6]


def test_a_short_hole_lowers_coverage_and_masks_what_it_spoils():
    signal, p = pink(4000, 8), pipeline()
    windows = [w for c in with_hole(signal, 3410, 40) for w in p.push(c)]
    hit = next(w for w in windows if w.end == 3600)
    features, whole = p.features(hit), p.features(next(w for w in windows if w.end == 3400))
    assert whole.coverage == 1.0
    assert features.coverage == pytest.approx(0.9)
    assert features.step_mask.tolist() == [False] * 9 + [True]
    assert features.patch_mask.tolist() == [False, False, False, True]
    assert isinstance(p.read(hit), Estimate)


def test_a_long_hole_is_a_gap_and_then_settles_anew():
    found = readings(with_hole(pink(8000, 8), 3000, 600))
    after = [r for r in found if r.end > 3600]
    assert not any(3000 < r.end <= 3600 for r in found)  # nothing is said inside the hole
    reasons = [why(r) for r in after]
    assert reasons[:15] == [Why.GAP] * 15
    assert reasons[15:31] == [Why.SETTLING] * 16
    assert set(reasons[31:]) == {None}
    assert after[31].coverage == pytest.approx(0.4)  # older steps stay masked


def test_one_percent_of_packets_lost_keeps_nine_estimates_in_ten():
    signal, rng, chunks, lost = pink(round(120 * SFREQ), 8), np.random.default_rng(0), [], 0
    for c in cut(signal, [8]):
        if rng.random() < 0.01:
            lost += len(c)
            continue
        chunks.append(replace(c, lost=lost))
        lost = 0
    found = [r for r in readings(chunks) if why(r) is not Why.SETTLING]
    assert np.mean([isinstance(r, Estimate) for r in found]) >= 0.9
    assert min(r.coverage for r in found) < 1.0


def test_an_electrode_offset_does_not_ring():
    x = pink(2000, 8)
    runs = []
    for offset in (0, 60_000):
        filters = Filters(FeatureSpec(), SFREQ, 8, (50.0,))
        filters.restart(x[0].astype(float) + offset)
        runs.append(filters(x.astype(float) + offset)[0])
    assert np.abs(runs[1] - runs[0]).max() < 1e-6


@pytest.mark.parametrize(("hz", "band"), [(2.5, 0), (6, 1), (10, 2), (20, 3), (38, 4)])
def test_a_sine_lands_in_its_band_with_its_power(hz, band):
    t = np.arange(3000)[:, None] / SFREQ
    x = 10 * np.sin(2 * np.pi * hz * t + np.arange(8))
    p = pipeline()
    window = p.push(Chunk(x, 0, 15.0))[-1]
    power = band_power(p.features(window).de.astype(float)).mean(axis=(0, 1))
    assert power.argmax() == band
    assert power[band] == pytest.approx(50, rel=0.12)  # amplitude 10 µV: mean square 50 µV²


def test_line_noise_is_taken_out():
    t = np.arange(3000)[:, None] / SFREQ
    quiet, p = pink(3000, 8), pipeline()
    gammas = []
    for x in (quiet, quiet + 30 * np.sin(2 * np.pi * 50 * t)):
        p = pipeline()
        gammas.append(p.features(p.push(Chunk(x, 0, 15.0))[-1]).de[-1, :, 4])
    assert np.abs(gammas[1] - gammas[0]).max() < 0.1


def test_differential_entropy_is_that_of_a_gaussian():
    power = np.array([0.5, 4.0, 90.0])
    assert differential_entropy(power) == pytest.approx(0.5 * np.log(2 * np.pi * np.e * power), abs=0.02)
    assert band_power(differential_entropy(power)) == pytest.approx(power)


def test_patches_keep_the_waveform_at_the_networks_rate():
    p = pipeline()
    t = np.arange(3000) / SFREQ
    window = p.push(Chunk(np.sin(2 * np.pi * 10 * t)[:, None] * 20 * np.ones(8), 0, 15.0))[-1]
    patch = p.features(window).patches[0].ravel()
    spectrum = np.abs(np.fft.rfft(patch * np.hanning(len(patch))))
    assert np.fft.rfftfreq(len(patch), 1 / 128)[spectrum.argmax()] == pytest.approx(10, abs=0.3)
    assert patch.std() == pytest.approx(20 / np.sqrt(2), rel=0.05)


def spoil(kind):
    x, rng = pink(2400, 16, offset_uv=500), np.random.default_rng(1)
    t = np.arange(2400) / SFREQ
    x[:, 2] = {
        Fault.FLAT: np.full(2400, 300.0),
        Fault.RAILED: np.clip((x[:, 2] - 500) * 40, -300, 300),
        Fault.LINE: x[:, 2] + 300 * np.sin(2 * np.pi * 50 * t),
        Fault.MUSCLE: x[:, 2] + 60 * rng.standard_normal(2400),
        Fault.DECORRELATED: pink(2400, 1, seed=9)[:, 0],
        Fault.IMPEDANCE: x[:, 2],  # nothing to see in the signal: the board says so
    }[kind]
    said = (Impedance(0, np.where(np.arange(16) == 2, 2000.0, 5.0)),) if kind is Fault.IMPEDANCE else ()
    first, *rest = cut(x, [100])
    return [replace(first, impedances=said), *rest]


@pytest.mark.parametrize("kind", [it for it in Fault if it is not Fault.EXCLUDED])
def test_a_bad_electrode_is_named_and_the_others_are_not(kind):
    info = replace(INFO, ch_names=tuple(SPREAD[:16]))
    last = readings(spoil(kind), pipeline(info))[-1]
    assert last.quality.faults == tuple(kind if i == 2 else None for i in range(16))
    assert last.quality.overall < 1
    assert isinstance(last, Estimate)


def test_with_most_electrodes_bad_there_is_no_estimate():
    x = pink(2400, 8)
    x[:, :5] = 0
    assert why(readings(cut(x, [100]))[-1]) is Why.BAD_SIGNAL


def test_a_single_good_channel_is_too_few_and_not_poor():
    info = replace(INFO, ch_names=("Cz",))
    assert why(readings(cut(pink(2400, 1), [100]), pipeline(info))[-1]) is Why.MONTAGE


def test_a_channel_that_sends_nan_counts_as_flat_and_spoils_no_other():
    x = pink(2400, 8)
    x[1000:, 3] = np.nan
    last = readings(cut(x, [64]))[-1]
    assert last.quality.faults[3] is Fault.FLAT
    assert isinstance(last, Estimate)


def test_the_network_sees_the_masks_and_an_unsure_one_still_says_what_it_thinks():
    network = FakeNetwork(probs=(0.45, 0.55))
    last = readings(cut(pink(2400, 8), [100]), pipeline(network=network))[-1]
    assert why(last) is Why.UNSURE
    assert last.probs == (0.45, 0.55)
    assert network.seen[0].step_mask.tolist() == [True] * 6 + [False] * 4


def test_a_readout_of_virtual_people_is_silent_on_real_ones():
    network = FakeNetwork()
    network.readout = replace(network.readout, evidence="virtual")
    assert why(readings(cut(pink(2400, 8), [100]), pipeline(network=network))[-1]) is Why.UNCALIBRATED
    assert not network.seen
    on_virtual = pipeline(replace(INFO, virtual=True), network)
    assert isinstance(readings(cut(pink(2400, 8), [100]), on_virtual)[-1], Estimate)


def test_too_slow_a_stream_is_refused_with_the_rate_it_needs():
    with pytest.raises(StreamMismatch, match="99 Hz"):
        pipeline(replace(INFO, sfreq=64.0))


def test_inputs_are_never_edited():
    chunk = Chunk(pink(2400, 8), 0, 12.0)
    before = chunk.data.copy()
    readings([chunk])
    np.testing.assert_array_equal(chunk.data, before)
    with pytest.raises(ValueError, match="read-only"):
        chunk.data[0] = 1
