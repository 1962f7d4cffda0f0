"""Feed back a measure of your own: a function of log band power, registered by name, thirty values a second.

A session's TOML file may then say ``kind = "front_to_back"``. Here it runs on a stream without a session.

python examples/own_measure.py [SOURCE]
"""

import sys

import numpy as np

import realtime_mood as rm
from realtime_mood.feedback.measures import FastMeasures
from realtime_mood.feedback.plan import Measure

source = sys.argv[1] if len(sys.argv) > 1 else "synthetic://?script=rest:10&n_chans=16&speed=max"


def front_to_back(power: np.ndarray, over: np.ndarray | None) -> float:
    """Log power of the first half of the electrodes less that of the second."""
    half = len(power) // 2
    return float(power[:half].mean() - power[half:].mean())


rm.register("measures", "front_to_back", front_to_back)
measure = Measure(kind="front_to_back", band="alpha", electrodes=("F3", "F4", "O1", "O2"))

with rm.open_source(source) as stream:
    measures = FastMeasures((measure,), stream.info)
    samples = [sample for chunk in stream for sample in measures.push(chunk)]
for sample in samples[::30]:
    value = f"{sample.values[0]:+.2f}" if not sample.why else sample.why
    print(f"{sample.index / stream.info.sfreq:5.2f} s  {value}")
