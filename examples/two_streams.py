"""Compare two streams reading by reading: two subjects, or two headsets on one subject.

python examples/two_streams.py [SOURCE SOURCE]
"""

import sys

import realtime_mood as rm

script = "script=neutral:10,positive:10&n_chans=16&speed=max"
sources = sys.argv[1:3] if len(sys.argv) > 2 else [f"synthetic://?subject={k}&{script}" for k in (3, 4)]

both = same = 0
with rm.read(sources[0]) as first, rm.read(sources[1]) as second:
    for one, other in zip(first, second, strict=False):
        if one.label and other.label:
            both += 1
            same += one.label == other.label
            print(f"{one.time:6.2f} s  {one.label:10} {other.label:10}")
    print(f"{both} pairs of estimates, {same} of them agree")
    print("lost samples:", first.health.lost, second.health.lost)
