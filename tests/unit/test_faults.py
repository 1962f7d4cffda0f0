"""Faults on a script: what is said is what happens, and what happens is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fakes import EIGHT, FakeSource, cut, pink
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_mood.errors import ConfigError
from realtime_mood.sources.faults.headset import FaultEvent, Headset, Packet
from realtime_mood.sources.faults.script import FAULTS, FaultScript
from realtime_mood.types import Chunk, StreamInfo

SFREQ = 250.0
INFO = StreamInfo(EIGHT, SFREQ, paced=False)
SIGNAL = pink(round(20 * SFREQ), len(EIGHT))


def headset(faults: str, sizes: Sequence[int] = (100,), signal: np.ndarray = SIGNAL) -> Headset:
    return Headset(FakeSource(cut(signal, sizes, SFREQ), INFO).open(), FaultScript.parse(faults, EIGHT))


def packets(faults: str, **how: object) -> list[Packet]:
    return [item for item in headset(faults, **how) if isinstance(item, Packet)]  # type: ignore[arg-type]


def whole(faults: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows, true numbers, stamps and times of delivery of everything sent."""
    sent = packets(faults)
    due = [np.full(len(p.rows), p.due) for p in sent]
    return tuple(
        np.concatenate(part)
        for part in ([p.rows for p in sent], [p.numbers for p in sent], [p.stamps for p in sent], due)
    )  # type: ignore[return-value]


def test_the_grammar():
    first, second, third = FaultScript.parse("drop:0.02@10-20, flat:Fp1:O2@1.5,kill@60", EIGHT).faults
    assert (first.kind, first.value, first.start_s, first.end_s, first.ch_names) == ("drop", 0.02, 10, 20, ())
    assert (second.ch_names, second.columns, second.start_s, second.end_s) == (("Fp1", "O2"), (0, 7), 1.5, np.inf)
    assert (third.value, third.end_s) == (5, 65)
    assert str(first) == "0.02 of the packets are lost"
    assert str(second) == "Fp1, O2 flat"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dropp", "known are drop, hole"), ("", "known are"), ("drop:2", "0 to 1 share"), ("drop@", "KIND"),
        ("drop@20-10", "ends?|end"), ("drop@-5", "KIND"), ("freeze:6@30-40", "as long as its value"),
        ("freeze:1e9", "nor an electrode"), ("freeze:999999999999@3", "0.01 to 60"), ("flat:Cz", "electrodes: Fp1"),
        ("drop:Fp1", "no electrodes"), ("swapped:Fp1", "2 electrodes"), ("swapped:Fp1:Fp1", "2 electrodes"),
        ("unix:3", "no number"), ("kill@0", "after the start of the stream"), ("fewer:8@3", "leaves a channel"),
        ("fewer:1.5@3", "whole number"), ("drop@1e400", "KIND"), ("drop:0.1@" + "9" * 400, "end after it begins"),
        (",".join(["drop@1"] * 10_001), "shorter"), ("random:1:Fp1", "no electrodes"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_named(text, says):
    with pytest.raises(ConfigError, match=says):
        FaultScript.parse(text, EIGHT)


WORDS = (
    "drop",
    "kill",
    "freeze",
    "random",
    "flat",
    "fewer",
    ":",
    "@",
    ",",
    "-",
    ".",
    "0",
    "6",
    "1e9",
    "nan",
    "inf",
    "Fp1",
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join) | st.text(max_size=20))
def test_any_text_is_a_script_or_a_config_error(text):
    try:
        script = FaultScript.parse(text, EIGHT)
    except ConfigError:
        return
    assert all(fault.kind in FAULTS and fault.start_s < fault.end_s for fault in script.faults)


def test_every_kind_can_be_said_and_happens():
    for name, kind in FAULTS.items():
        if name == "random":
            continue
        words = ":Fp1:O2" if kind.electrodes == 2 else ""
        script = FaultScript.parse(f"{name}{words}@2", EIGHT)
        assert script.faults[0].value == kind.default
        assert kind.meaning
        assert str(script.faults[0])
        (begins, *_) = (item for item in headset(f"{name}{words}@2") if isinstance(item, FaultEvent))
        assert (begins.begins, begins.first, begins.due) == (True, 500, 2.0)


def test_without_faults_everything_comes_on_the_line():
    rows, numbers, stamps, due = whole("drop:0@0")
    np.testing.assert_array_equal(rows, SIGNAL)
    np.testing.assert_array_equal(numbers, np.arange(len(SIGNAL)))
    np.testing.assert_allclose(stamps, (numbers + 1) / SFREQ)
    assert np.all(due - stamps >= -1e-9)
    assert np.all(due - stamps < 0.0401)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_cutting_changes_nothing(sizes):
    faults = "random:3@0-20,drop:0.1,jitter,delay,duplicate,reorder,noisy:50:Fp1,nan:0.01:O2@3-9,kill:1@5,hole:0.3@11"
    for one, other in zip(packets(faults), packets(faults, sizes=sizes), strict=True):
        assert one.due == other.due
        for a, b in zip(one[:3], other[:3], strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_is_lost_is_known():
    faults = "drop:0.05,hole:0.5@3,hole:0.004@8,kill:2@10,freeze:1@9.5"
    box = headset(faults)
    numbers = np.concatenate([item.numbers for item in box if isinstance(item, Packet)])
    lost = np.concatenate([np.arange(first, end) for first, end in box.truth.lost])
    assert np.array_equal(np.sort(np.concatenate((numbers, lost))), np.arange(len(SIGNAL)))
    assert box.truth.end == len(SIGNAL)
    for first, end in ((750, 875), (2000, 2001), (2380, 3000)):  # what was frozen when it died is gone as well
        assert set(range(first, end)) <= set(lost.tolist())
    assert 0.02 < (len(lost) - 745) / len(SIGNAL) < 0.09


def test_a_recording_with_holes_keeps_them():
    box = Headset(
        FakeSource([Chunk(SIGNAL[:100], 0, 0.4), Chunk(SIGNAL[:100], 133, 1.0, lost=33)], INFO).open(),
        FaultScript.parse("drop:0", EIGHT),
    )
    numbers = np.concatenate([item.numbers for item in box if isinstance(item, Packet)])
    assert numbers.tolist() == [*range(100), *range(133, 233)]
    assert box.truth.lost == [(100, 133)]


def test_frozen_packets_come_at_once_with_their_own_stamps_and_stalled_ones_with_late_ones():
    _, numbers, stamps, due = whole("freeze:3@5,stall:2@12")
    frozen = (numbers >= 1250) & (numbers < 2000)
    assert np.all(due[frozen] == 8.0)
    np.testing.assert_allclose(stamps[frozen], (numbers[frozen] + 1) / SFREQ)
    stalled = (numbers >= 3000) & (numbers < 3500)
    assert np.all(due[stalled] == 14.0)
    assert stamps[stalled].min() > 13.95
    assert np.all(np.diff(due) >= 0)


def test_clocks_step_jitter_drift_run_backwards_and_count_from_1970():
    clean = whole("drop:0")[2]
    off = whole("step:-2@5-10")[2] - clean
    assert np.allclose(off, np.where((clean > 5) & (clean <= 10), -2, 0))
    assert (whole("jitter:8")[2] - clean).std() == pytest.approx(0.008, rel=0.15)
    np.testing.assert_allclose(whole("drift:200")[2], clean / 1.0002)
    assert np.diff(whole("backward:0.1")[2]).min() == pytest.approx(-0.096)
    assert np.all(whole("unix@5")[2][1250:] > 1e9)
    _, _, stamps, due = whole("delay:30")
    np.testing.assert_array_equal(stamps, clean)
    assert np.all(np.diff(due) >= 0)
    assert (due - stamps)[9::10].mean() > 0.025


def test_packets_come_twice_and_in_the_wrong_order():
    numbers = whole("duplicate:0.2")[1]
    box = headset("duplicate:0.2")
    list(box)
    twice = sum(end - first for first, end in box.truth.sent_twice)
    assert len(numbers) == len(SIGNAL) + twice > len(SIGNAL)
    numbers = whole("reorder:0.2")[1]
    assert np.array_equal(np.sort(numbers), np.arange(len(SIGNAL)))
    assert np.diff(numbers).min() == -19


def test_electrodes_fail_where_and_when_they_should():
    at = slice(1000, 2000)

    def change(fault: str) -> np.ndarray:
        rows = whole(fault)[0]
        changed = (rows != SIGNAL) & ~(np.isnan(rows) & np.isnan(SIGNAL))
        assert not changed[:1000].any()
        assert not changed[2000:].any()
        return rows[at]

    clean = SIGNAL[at]
    swapped = clean.copy()
    swapped[:, [0, 6]] = swapped[:, [6, 0]]
    np.testing.assert_array_equal(change("swapped:Fp1:O1@4-8"), swapped)
    assert np.all(change("flat:Fp1@4-8")[:, 0] == 0)
    assert np.all(change("railed:-187500:Fp1@4-8")[:, 0] == -187500)
    np.testing.assert_allclose(change("offset:C3@4-8")[:, 2] - clean[:, 2], 4000, atol=0.01)
    assert (change("noisy@4-8") - clean).std(axis=0) == pytest.approx(np.full(8, 200), rel=0.1)
    hum = change("line50:100:C4@4-8")[:, 3] - clean[:, 3]
    assert hum.std() == pytest.approx(100, rel=0.01)
    assert np.argmax(np.abs(np.fft.rfft(hum))) == 4 * 50
    pop = (change("popped:2000:P3@4-8") - clean)[:, 4]
    assert pop[0] == pytest.approx(2000, abs=0.1)
    assert pop[500] == pytest.approx(2000 / np.e, rel=0.01)
    assert np.isnan(change("nan:0.1:O2@4-8")).mean(axis=0) == pytest.approx([0] * 7 + [0.1], abs=0.03)
    assert np.isinf(change("inf:Fp2@4-8"))[:, 1].all()


def test_another_stream_has_fewer_channels_for_a_while():
    sent = packets("fewer:2@4-8")
    for packet in sent:
        assert packet.rows.shape[1] == (6 if 1000 <= packet.numbers[0] < 2000 else 8)


def test_a_mixture_is_its_seed():
    one, same, other = (FaultScript.parse(text, EIGHT) for text in ("random:4", "random:4", "random:5"))
    assert one == same != other
    assert 60 < len(one.faults) < 260
    assert all(0 < fault.start_s < 3600 for fault in one.faults)
    assert all(10 <= fault.start_s < 60 for fault in FaultScript.parse("random:4@10-60", EIGHT).faults)
