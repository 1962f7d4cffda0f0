"""Get a first reading: open a source, and print the estimates of the network, four a second.

python examples/first_reading.py [SOURCE]
"""

import sys

import realtime_mood as rm

source = sys.argv[1] if len(sys.argv) > 1 else "synthetic://?script=neutral:8,positive:8&n_chans=16&speed=max"

with rm.open_source(source) as stream:
    print(stream)
    for reading in rm.read(stream):
        if isinstance(reading, rm.Estimate):
            probabilities = ", ".join(f"{label} {p:.2f}" for label, p in reading.probabilities.items())
            print(f"{reading.time:6.2f} s  {reading.label:12} {probabilities}")
        else:
            print(f"{reading.time:6.2f} s  no estimate: {reading.why.value}")
