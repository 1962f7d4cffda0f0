"""Receive the readings of `run --lsl-out` with MNE-LSL: python receive_mne_lsl.py [SECONDS]."""

import json
import sys
import time

from mne_lsl.lsl import StreamInlet, resolve_streams

found = resolve_streams(timeout=20, name="RealtimeMood")
if not found:
    sys.exit("no stream RealtimeMood: start one with  run --lsl-out")
inlet = StreamInlet(found[0])
inlet.open_stream()
labels = inlet.get_sinfo().get_channel_names()

until = time.monotonic() + float(sys.argv[1] if len(sys.argv) > 1 else 1e9)
while time.monotonic() < until:
    sample, stamp = inlet.pull_sample(timeout=1.0)
    if stamp is not None:
        print(json.dumps(dict(zip(labels, map(float, sample), strict=True)) | {"stamp": stamp}), flush=True)
