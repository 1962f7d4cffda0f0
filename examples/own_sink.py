"""Send readings somewhere of your own: a sink receives every reading, in the engine's thread, beside other sinks.

python examples/own_sink.py [SOURCE]
"""

import sys

import realtime_mood as rm

source = sys.argv[1] if len(sys.argv) > 1 else "synthetic://?script=neutral:12&n_chans=8&speed=max"


class LampColour:
    """Sets a lamp's colour. `put` must return quickly: what it raises costs this reading, and no other sink's."""

    def __init__(self) -> None:
        self.sent = 0

    def put(self, emission: rm.Emission) -> None:
        """One reading, with the stream's info and the delay so far."""
        reading = emission.reading
        if reading.label:
            self.sent += 1
            print(f"lamp: {reading.label} at {reading.confidence:.0%}")

    def close(self, health: rm.Health) -> None:
        """The run is over."""
        print(f"lamp off after {self.sent} of {health.readings} readings")


for _ in rm.read(source, sinks=[LampColour()]):
    pass
