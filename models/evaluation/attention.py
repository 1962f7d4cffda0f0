"""Validity of attention maps: whether they agree with the relevant electrodes.

Maps are compared with the planted effect of a state, known for simulated subjects, and with gradients: how much the
output depends on each electrode and band of the input [1]_. Attention sums to one over the electrodes of each band, so
the comparison is by band: rank correlation over electrodes, with a permutation test over electrodes.

References
----------
.. [1] Shrikumar, Greenside, Kundaje (2017), "Learning important features through propagating activation differences",
   ICML: gradient times input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

from realtime_mood.sources.synthetic.person import Script, VirtualPerson

from ..datasets.virtual import SFREQ
from ..reader import MoodReader
from .compare import Runner
from .contexts import Contexts
from .figures import draws, mean_with_interval
from .mood_reader import READOUT, ReaderMethod, batch
from .splits import Fold

EVERY = 4  # of a subject's contexts: neighbours are similar
PERMUTATIONS = 1000
TRUTHS = {"planted": "what was planted", "leaning": "what the output depends on (gradient × input)"}
LEAST_PLANTED = 0.1  # change of log rms: in the other bands there is nothing to point to


def maps(reader: MoodReader, readout: str, c: Contexts, rows: np.ndarray, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Attention, and how much the score of label `y` depends on the input, averaged over contexts.

    Both are (n_chans, n_bands); dependence is the size of gradient times input, summed over steps.
    """
    b = batch(c, rows)
    b.de.requires_grad_()
    out = reader(b)
    scores = out.scores[readout]
    (gradient,) = torch.autograd.grad((scores[:, y] - scores.mean(1)).sum(), b.de)
    dependence = (gradient * b.de).sum(1).abs().mean(0)
    assert out.attention is not None
    return out.attention.mean(0).detach().numpy(), dependence.detach().numpy()


def agreement(attention: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Rank correlation over electrodes, and its values with electrodes permuted: (PERMUTATIONS,)."""
    a, b = (rankdata(x) - (len(x) + 1) / 2 for x in (attention, truth))
    scale = np.sqrt(np.sum(a**2) * np.sum(b**2)) or 1.0
    order = rng.permuted(np.tile(np.arange(len(a)), (PERMUTATIONS, 1)), axis=1)
    return float(a @ b / scale), a[order] @ b / scale


def of_person(
    reader: MoodReader, readout: str, labels: Sequence[str], c: Contexts, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Agreement with the planted effects of a simulated subject, and with gradients, by state and band."""
    p, brain, rows = c.person, None, []
    if p.info.virtual:
        seed, names = int(p.name.split("-")[1]), [p.info.ch_names[i] for i in c.chans]
        brain = VirtualPerson(seed, names, SFREQ, Script.parse("rest:60")).brain
    for y, state in enumerate(labels):
        attention, dependence = maps(reader, readout, c, np.flatnonzero(c.labels == y)[::EVERY], y)
        planted = np.abs(brain.planted(state)) if brain else None
        for k, band in enumerate(c.spec.bands):
            for kind, truth in (("leaning", dependence), ("planted", planted)):
                if truth is not None and (kind == "leaning" or truth[:, k].max() >= LEAST_PLANTED):
                    rho, by_chance = agreement(attention[:, k], truth[:, k], rng)
                    rows.append({"state": state, "band": band, "with": kind, "rho": rho, "by_chance": by_chance})
    return rows


def summarised(subjects: Sequence[Sequence[dict[str, Any]]], seed: int) -> dict[str, Any]:
    """Means over subjects with confidence intervals, overall and by state and band; and p values."""
    out: dict[str, Any] = {"lines": []}
    for kind, title in TRUTHS.items():
        rows = [[row for row in subject if row["with"] == kind] for subject in subjects]
        rows = [subject for subject in rows if subject]
        if not rows:
            continue
        weights = draws(len(rows), seed)
        whole = mean_with_interval([float(np.mean([row["rho"] for row in subject])) for subject in rows], weights)
        chance = np.mean([np.mean([row["by_chance"] for row in subject], axis=0) for subject in rows], axis=0)
        p = float((1 + np.sum(chance >= whole["mean"])) / (1 + len(chance)))
        limit = round(float(np.quantile(chance, 0.95)), 3)
        cells: dict[str, list[float]] = {}
        for row in chain(*rows):
            cells.setdefault(f"{row['state']}, {row['band']}", []).append(row["rho"])
        by_cell = {cell: round(float(np.mean(x)), 3) for cell, x in cells.items()}
        out[kind] = whole | {"people": len(rows), "by_chance_95": limit, "p": round(p, 4), "cells": by_cell}
        out["lines"].append(
            f"attention and {title}: rank correlation {whole['mean']:.2f} {whole['interval']} over "
            f"{len(rows)} subjects; permutation test over electrodes: 95 % below {limit:.2f}, "
            f"p = {p:.3f}; " + ", ".join(f"{cell} {rho:+.2f}" for cell, rho in by_cell.items())
        )
    return out


def attention(
    runner: Runner, method: ReaderMethod, folds: Sequence[Fold], log: Callable[[str], None]
) -> dict[str, Any]:
    """`summarised` for all subjects, each by the reader of the fold that left the subject out, on common channels."""
    study = runner.study
    log("attention")
    rng, subjects = np.random.default_rng(study.seed), []
    for fold in folds:
        reader = runner.scorer(method, fold.split).reader  # type: ignore[attr-defined]
        view = study.view([study.subjects[i] for i in fold.split.train], study.ch_names)
        for i in fold.split.left:
            subjects.append(of_person(reader, READOUT, study.labels, view.contexts(study.subjects[i]), rng))
    return summarised(subjects, study.seed)
