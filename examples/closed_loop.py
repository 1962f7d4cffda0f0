"""Close the loop, as in an experiment with PsychoPy: mark each trial, wait for its reading, adapt the next trial.

With PsychoPy, call ``draw`` and ``flip`` where this prints, and mark in ``window.callOnFlip``.

python examples/closed_loop.py [SOURCE [RECORDING.xdf]]
"""

import sys

import realtime_mood as rm

source = sys.argv[1] if len(sys.argv) > 1 else "synthetic://?script=neutral:15,negative:15&n_chans=16&speed=max"
record = sys.argv[2] if len(sys.argv) > 2 else None
TRIAL_S, EASIEST, HARDEST = 4.0, 1, 9

difficulty, trial, last_label, began = 5, 0, "", 0.0
with rm.read(source, record=record) as readings:
    for reading in readings:
        if reading.time - began < TRIAL_S:
            if reading.label:
                last_label = reading.label
            continue
        if last_label == "negative":
            difficulty = max(EASIEST, difficulty - 1)
        elif last_label:
            difficulty = min(HARDEST, difficulty + 1)
        trial, began = trial + 1, reading.time
        readings.mark(f"trial/{trial}/difficulty/{difficulty}")  # on the newest sample, and into the recording
        print(f"{began:6.2f} s  trial {trial}: difficulty {difficulty} after {last_label or 'no estimate'}")
        last_label = ""
