"""Features by the second, as computed for data sets, are those of the pipeline's windows, to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, cut, pink

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.datasets.person import by_second
from realtime_mood.montage import SPREAD
from realtime_mood.pipeline import Pipeline


def damaged(sfreq, n_chans):
    """70 s with a step, dead and railed electrodes, short gaps and a long one."""
    x = pink(round(70 * sfreq), n_chans, offset_uv=20_000)
    at = [round(s * sfreq) for s in range(71)]
    x[at[20] :, 1] += 4000
    x[at[25] : at[28], 2] = 7
    x[at[9] : at[40], 3] = 0
    x[at[30] : at[30] + round(0.2 * sfreq)] = np.nan
    x[at[45] : at[46]] = np.nan
    x[at[60] : at[66] : 2, 0] += 3000
    return x


@pytest.mark.parametrize(("sfreq", "n_chans"), [(128.0, 20), (250.0, 8)])
def test_by_second_is_the_newest_step_and_patch_of_each_window(sfreq, n_chans):
    info, signal = replace(INFO, ch_names=tuple(SPREAD[:n_chans]), sfreq=sfreq), damaged(sfreq, n_chans)
    pipeline = Pipeline(info, FeatureSpec(hop_s=1.0), None)
    windows = [w for c in cut(signal, [round(0.3 * sfreq)], sfreq) for w in pipeline.push(c)]
    whole, found = [pipeline.features(w) for w in windows], by_second(info, signal, FeatureSpec())
    np.testing.assert_array_equal(found["de"], [f.de[-1] for f in whole])
    np.testing.assert_array_equal(found["patches"], [f.patches[:, -1].astype(np.float16) for f in whole])
    np.testing.assert_array_equal(found["there"], [not (f.step_mask[-1] or f.patch_mask[-1]) for f in whole])
    np.testing.assert_array_equal(found["good"], [f.quality.good for f in whole])
    assert 0.5 < found["there"].mean() < 0.9
    assert 0.7 < found["good"].mean() < 1


def test_the_newest_of_several_hops_a_step():
    signal = damaged(INFO.sfreq, INFO.n_chans)
    pipeline = Pipeline(INFO, FeatureSpec(), None)
    for window in pipeline.push(cut(signal, [len(signal)])[0])[::3]:
        whole, (de, patch, there) = pipeline.features(window), pipeline.newest(window)
        np.testing.assert_array_equal(de, whole.de[-1])
        np.testing.assert_array_equal(patch, whole.patches[:, -1])
        assert there == (not (whole.step_mask[-1] or whole.patch_mask[-1]))
