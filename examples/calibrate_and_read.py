"""Calibrate: record a baseline of a subject, and compare readings with it.

python examples/calibrate_and_read.py [SOURCE [PROFILE.json]]
"""

import sys
import tempfile
from pathlib import Path

import realtime_mood as rm

source = sys.argv[1] if len(sys.argv) > 1 else "synthetic://?n_chans=8&speed=max"
path = Path(sys.argv[2] if len(sys.argv) > 2 else Path(tempfile.mkdtemp()) / "subject.json")

profile = rm.calibrate(source, path, seconds=30, say=print)
print(f"{profile.seconds:.0f} s of usable rest on {len(profile.ch_names)} electrodes")
for reading in rm.read(source, profile=profile, seconds=15):
    if reading.label:
        print(reading, "calibrated" if reading.calibrated else "")
