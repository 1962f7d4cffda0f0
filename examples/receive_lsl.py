"""Receive the readings of `run --lsl-out` in your own program, with pylsl: python receive_lsl.py [SECONDS]."""

import json
import sys
import time

import pylsl

until = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 1e9)


def receive(inlet: pylsl.StreamInlet) -> None:
    """Print what comes, until the run ends."""
    channel, labels = inlet.info().desc().child("channels").child("channel"), []
    while not channel.empty():
        labels.append(channel.child_value("label"))
        channel = channel.next_sibling()
    virtual = inlet.info().desc().child("realtime_mood").child_value("virtual") == "1"
    while time.monotonic() < until:
        sample, stamp = inlet.pull_sample(timeout=1.0)
        if sample is not None:  # numbers of a reading that is not valid are NaN
            reading = dict(zip(labels, sample, strict=True)) | {"stamp": stamp, "virtual": virtual}
            print(json.dumps(reading | {"received": pylsl.local_clock()}), flush=True)


while time.monotonic() < until:
    found = pylsl.resolve_byprop("name", "RealtimeMood", timeout=20)
    if not found:
        sys.exit("no stream RealtimeMood: start one with  run --lsl-out")
    try:
        receive(pylsl.StreamInlet(found[0], recover=False))  # another run is another stream, with its own description
    except pylsl.LostError:
        print("the run has ended, looking for the next", file=sys.stderr)
