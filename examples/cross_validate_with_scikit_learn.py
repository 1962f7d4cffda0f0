"""Cross-validate the Mood Reader on trials of several subjects, each left out in turn, with scikit-learn.

Each trial is a rest and then a state. With your own data they come from your files: (n_trials, n_chans, n_times) in µV,
or mne.Epochs.
"""

import sys

import numpy as np
from sklearn.model_selection import GroupKFold, cross_val_score

import realtime_mood as rm
from realtime_mood.models import MoodReaderClassifier

REST_S, STATE_S = 8, 12
STATES = ["negative", "positive"] * 2
script = ",".join(f"rest:{REST_S},{state}:{STATE_S}" for state in STATES)
n_subjects, steps = (int(word) for word in sys.argv[1:] or ("4", "60"))

trials, states, subjects = [], [], []
for subject in range(n_subjects):
    url = f"synthetic://?subject={subject}&script={script}&difficulty=easy&n_chans=8&sfreq=128&speed=max"
    with rm.open_source(url) as stream:
        ch_names, sfreq = stream.info.ch_names, stream.info.sfreq
        signal = np.concatenate([chunk.data for chunk in stream])
    trials += [part.T for part in np.split(signal, len(STATES))]
    states += STATES
    subjects += [subject] * len(STATES)

reader = MoodReaderClassifier(
    sfreq,
    ch_names,
    baseline=(4, REST_S),  # what each trial is compared with; before it, the filters settle
    steps=steps,
    lr=5e-3,
    network={"dim": 16, "band_dim": 8, "raw_dim": 16, "raw_depth": 1, "rounds": 1},  # small, for a quick example
    random_state=0,
)
each = cross_val_score(
    reader, np.array(trials), states, groups=subjects, cv=GroupKFold(n_subjects), scoring="balanced_accuracy"
)
print(f"simulated subjects: {n_subjects}, trials: {len(trials)}")
print(f"balanced accuracy on subjects left out: {each.mean():.2f} ({each.min():.2f} to {each.max():.2f}), chance 0.50")
