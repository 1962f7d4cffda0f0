"""Cluster permutation tests of maps over subjects, and which electrodes are neighbours.

One test serves all labels, bands and electrodes of a kind of map: signs of whole subjects are flipped, and each cluster
is compared with the largest one anywhere in the flipped data [1]_, so p values are corrected for all of them. A small p
speaks for an effect somewhere; that every electrode of the cluster has it is not shown [2]_.

References
----------
.. [1] Maris & Oostenveld (2007), "Nonparametric statistical testing of EEG- and MEG-data", Journal of Neuroscience
   Methods 164(1), doi 10.1016/j.jneumeth.2007.03.024.
.. [2] Sassenhagen & Draschkow (2019), "Cluster-based permutation tests of MEG/EEG data do not establish significance of
   effect latency or location", Psychophysiology 56(6), doi 10.1111/psyp.13335.
.. [3] Ridgway, Litvak, Flandin, Friston, Penny (2012), "The problem of low variance voxels in statistical parametric
   mapping; a new hat avoids a 'haircut'", NeuroImage 59(3), doi 10.1016/j.neuroimage.2011.10.027.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse, stats

from realtime_mood.montage import locate

LEAST_SUBJECTS = 6  # with five, the smallest p of flipped signs is .0625
FORMING_P = 0.01  # of each electrode alone (two-sided t test): those below it form clusters
ALPHA = 0.05
LEAST_VARIANCE = 1e-3  # share of the largest variance that is added to all [3]_
MOST_CM, RADIUS_CM = 8.5, 9.5
"""The longest distance of neighbours along the scalp, and the radius of a head."""


@dataclass(frozen=True)
class Cluster:
    """Neighbouring electrodes of one label and band whose values differ from zero in the same direction."""

    row: int
    """Number of the map, such as that of a label."""
    band: int
    electrodes: tuple[int, ...]
    mass: float
    """Sum of t over its electrodes."""
    p: float

    @property
    def significant(self) -> bool:
        """Whether its p is below `ALPHA`."""
        return self.p < ALPHA


def neighbours(ch_names: Sequence[str]) -> sparse.csr_array:
    """Which electrodes are neighbours: (n_chans, n_chans) bool, true on the diagonal.

    Neighbours are those of MNE's triangulation of the montage that are no farther apart than `MOST_CM`: in a montage
    with holes, or of few electrodes, the triangulation alone would join distant ones.
    """
    import mne

    at, n = locate(ch_names).astype(float), len(ch_names)
    close = np.arccos(np.clip(at @ at.T, -1, 1)) * RADIUS_CM <= MOST_CM
    joined = np.ones((n, n), bool)
    if n > 4:  # fewer cannot be triangulated
        places = dict(zip(ch_names, at * RADIUS_CM / 100, strict=True))
        with mne.utils.use_log_level("error"):
            info = mne.create_info(list(ch_names), 100.0, "eeg")
            info.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
            joined = mne.channels.find_ch_adjacency(info, "eeg")[0].toarray().astype(bool)
    return sparse.csr_array((close & joined) | np.eye(n, dtype=bool))


def clusters_of(
    maps: np.ndarray, adjacency: sparse.csr_array, n_permutations: int, seed: int
) -> tuple[np.ndarray, list[Cluster]]:
    """Statistic t of each value, and clusters with p values corrected over rows, bands and electrodes.

    Parameters
    ----------
    maps : (n_subjects, n_rows, n_chans, n_bands) ndarray
        Zero where there is no effect. NaN (a label that a subject lacks, an electrode that was never good) counts as
        zero, which can only hide an effect.
    adjacency : (n_chans, n_chans) sparse
        See `neighbours`.
    n_permutations : int
        Of signs; where there are fewer different ones, each is taken once.
    seed : int

    Returns
    -------
    t : (n_rows, n_chans, n_bands) ndarray
    clusters : list of Cluster
        The smallest p first.
    """
    import mne
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # a progress bar of MNE, even a hidden one, would leave a thread behind
    n_subjects, n_rows, n_chans, n_bands = maps.shape
    flat = np.nan_to_num(maps).transpose(0, 1, 3, 2).reshape(n_subjects, -1)
    if not flat.any():
        return np.zeros(maps.shape[1:]), []
    limit = float(stats.t.ppf(1 - FORMING_P / 2, n_subjects - 1))
    with mne.utils.use_log_level("error"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where no electrode passes the limit, or few signs exist
        t, found, p, _ = mne.stats.permutation_cluster_1samp_test(
            flat, limit, n_permutations, stat_fun=partial(mne.stats.ttest_1samp_no_p, sigma=LEAST_VARIANCE),
            adjacency=sparse.block_diag([adjacency] * (n_rows * n_bands)).tocoo(), out_type="indices",
            seed=seed,
        )  # fmt: skip
    clusters = []
    for (where,), value in zip(found, p, strict=True):
        row, band = divmod(int(where[0]) // n_chans, n_bands)
        electrodes = tuple(sorted(int(i) % n_chans for i in where))
        clusters.append(Cluster(row, band, electrodes, float(t[where].sum()), float(value)))
    clusters.sort(key=lambda c: (c.p, -abs(c.mass)))
    return t.reshape(n_rows, n_bands, n_chans).transpose(0, 2, 1), clusters
