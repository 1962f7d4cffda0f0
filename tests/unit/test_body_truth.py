"""The measures of the body find the beats, breaths and stillness of simulated subjects, whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.aux_ring import AuxRing
from realtime_mood.body.measure import UNITS, BodyMeasure
from realtime_mood.body.monitor import measures_at
from realtime_mood.body.signals import signals_of
from realtime_mood.sources import open_source
from realtime_mood.sources.synthetic.beside import BesideStreams, VirtualSignals, true_body

SECONDS = 60


@pytest.mark.parametrize("subject", [1, 9])
def test_the_body_of_a_simulated_subject_is_measured(subject: int) -> None:
    person = open_source(f"synthetic://?subject={subject}&script=neutral:30,negative:30").person()
    truth = true_body(person, SECONDS + 1)
    streams = BesideStreams(VirtualSignals(person), "synthetic://", "id")
    rings: dict[str, AuxRing] = {}
    for second in range(SECONDS + 1):
        edges = round(second * person.sfreq), round((second + 1) * person.sfreq)
        for info, chunk in streams.take(*edges, lambda t: (t, t)):
            rings.setdefault(info.url, AuxRing(info)).write(chunk)
    signals = [(ring, signal) for ring in rings.values() for signal in signals_of(ring.info)]
    found = [{it.name: it for it in measures_at(signals, float(t))} for t in range(10, SECONDS, 5)]
    assert list(found[0]) == list(UNITS)

    def values(name: str) -> np.ndarray:
        return np.array([it[name].number for it in found])

    true = [truth.heart_rate(t - 0.4) for t in range(10, SECONDS, 5)]
    np.testing.assert_allclose(values("heart_rate"), true, atol=2.0)
    last: dict[str, BodyMeasure] = found[-1]
    intervals = np.diff(truth.beats[(truth.beats > 25) & (truth.beats < 54.5)])
    assert last["rmssd"].value == pytest.approx(1e3 * np.sqrt(np.mean(np.diff(intervals) ** 2)), abs=8)
    assert 8 < last["respiration_rate"].value < 30
    assert 0.2 < last["skin_conductance"].value < 30
    assert 0 <= last["skin_responses"].value < 40
    assert 0.002 < np.nanmedian(values("movement")) < 0.1
