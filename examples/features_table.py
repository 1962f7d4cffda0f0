"""Write features to a pandas table: differential entropy of each electrode and band (nats), one row a second.

python examples/features_table.py [SOURCE [FILE.csv]]
"""

import sys

import numpy as np
import pandas as pd

import realtime_mood as rm

source = sys.argv[1] if len(sys.argv) > 1 else "synthetic://?script=neutral:6,rest:6&n_chans=8&speed=max"

bands = list(rm.FeatureSpec().bands)
rows = []
with rm.open_source(source) as stream:
    names = stream.info.ch_names
    for features in rm.features(stream, every=1.0):
        row = {"time": features.time, "quality": features.quality.overall}
        newest = np.full_like(features.de[-1], np.nan) if features.step_mask[-1] else features.de[-1]
        row |= {f"{name} {band}": newest[c, k] for c, name in enumerate(names) for k, band in enumerate(bands)}
        rows.append(row)

table = pd.DataFrame(rows).set_index("time")
print(table.filter(like="alpha").round(2).to_string())
if len(sys.argv) > 2:
    table.to_csv(sys.argv[2])
