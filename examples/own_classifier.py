"""Train a classifier on the subject's own blocks with scikit-learn, and test it on held-out blocks.

The log says which block was when; with an experiment of yours it comes from your own log or markers.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import realtime_mood as rm

LOG = [("neutral", 15.0), ("positive", 15.0)] * 4
SETTLE_S = 3.0  # left out at the beginning of each block
script = ",".join(f"{label}:{seconds:g}" for label, seconds in LOG)
source = f"synthetic://?script={script}&difficulty=easy&n_chans=16&speed=max"

ends = np.cumsum([seconds for _, seconds in LOG])
x, y, block = [], [], []
for features in rm.features(source, every=1.0):
    k = int(np.searchsorted(ends, features.time))
    began = ends[k] - LOG[k][1]
    if features.time - began > SETTLE_S and not features.step_mask[-1]:
        x.append(features.de[-1].ravel())
        y.append(LOG[k][0])
        block.append(k)

classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
predicted = cross_val_predict(classifier, np.array(x), y, groups=block, cv=GroupKFold(4))
recall = [np.mean(predicted[np.array(y) == label] == label) for label in sorted(set(y))]
print(f"{len(x)} seconds in {len(LOG)} blocks, balanced accuracy on held-out blocks {np.mean(recall):.2f}, chance 0.50")
