"""Validity of attention maps: whether they agree with the relevant electrodes.

For simulated subjects the planted effect of a state on every electrode and band is known. For real subjects gradients
are used: how much the output depends on each electrode and band of the input [1]_. Attention sums to one over the
electrodes of each band, so maps are compared band by band, by rank correlation over electrodes, in a permutation test
over electrodes.

References
----------
.. [1] Shrikumar, Greenside, Kundaje (2017), "Learning important features through propagating activation differences",
   ICML: gradient times input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

from realtime_mood.sources.synthetic.person import Script, VirtualPerson

from ..datasets.person import population
from ..datasets.virtual import SFREQ
from ..reader import MoodReader
from .compare import Runner
from .contexts import Contexts, View
from .figures import draws, mean_with_interval
from .mood_reader import READOUT, ReaderMethod, batch
from .splits import Fold

EVERY = 4  # contexts of the same subject resemble each other
PERMUTATIONS = 1000
TRUTHS = {"planted": "what was planted", "leaning": "what the output depends on (gradient × input)"}
LEAST_PLANTED = 0.1  # change of log rms: bands a state leaves alone have nowhere to point to


def maps(reader: MoodReader, readout: str, c: Contexts, rows: np.ndarray, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Attention, and how much the score of label `y` depends on each value, on average over contexts.

    Returns
    -------
    attention : (n_chans, n_bands)
    leaning : (n_chans, n_bands)
        Size of gradient times input, summed over steps.
    """
    b = batch(c, rows)
    b.de.requires_grad_()
    out = reader(b)
    scores = out.scores[readout]
    (gradient,) = torch.autograd.grad((scores[:, y] - scores.mean(1)).sum(), b.de)
    leaning = (gradient * b.de).sum(1).abs().mean(0)
    assert out.attention is not None
    return out.attention.mean(0).detach().numpy(), leaning.detach().numpy()


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
    p, found = c.person, []
    brain = None
    if p.info.virtual:
        seed, names = int(p.name.split("-")[1]), [p.info.ch_names[i] for i in c.chans]
        brain = VirtualPerson(seed, names, SFREQ, Script.parse("rest:60")).brain
    for y, state in enumerate(labels):
        attention, leaning = maps(reader, readout, c, np.flatnonzero(c.labels == y)[::EVERY], y)
        planted = np.abs(brain.planted(state)) if brain else None
        for k, band in enumerate(c.spec.bands):
            for what, truth in (("leaning", leaning), ("planted", planted)):
                if truth is not None and (what == "leaning" or truth[:, k].max() >= LEAST_PLANTED):
                    rho, by_chance = agreement(attention[:, k], truth[:, k], rng)
                    found.append({"state": state, "band": band, "with": what, "rho": rho, "by_chance": by_chance})
    return found


def summarised(people: Sequence[Sequence[dict[str, Any]]], seed: int) -> dict[str, Any]:
    """Means over subjects with confidence intervals, overall and by state and band; and p values."""
    out: dict[str, Any] = {"lines": []}
    for what in ("planted", "leaning"):
        rows = [[row for row in person if row["with"] == what] for person in people]
        rows = [person for person in rows if person]
        if not rows:
            continue
        weights = draws(len(rows), seed)
        whole = mean_with_interval([float(np.mean([row["rho"] for row in person])) for person in rows], weights)
        chance = np.mean([np.mean([row["by_chance"] for row in person], axis=0) for person in rows], axis=0)
        p = float((1 + np.sum(chance >= whole["mean"])) / (1 + len(chance)))
        cells: dict[str, list[float]] = {}
        for row in (row for person in rows for row in person):
            cells.setdefault(f"{row['state']}, {row['band']}", []).append(row["rho"])
        by_cell = {cell: round(float(np.mean(x)), 3) for cell, x in cells.items()}
        out[what] = whole | {
            "people": len(rows), "by_chance_95": round(float(np.quantile(chance, 0.95)), 3), "p": round(p, 4),
            "cells": by_cell,
        }  # fmt: skip
        out["lines"].append(
            f"attention and {TRUTHS[what]}: rank correlation {whole['mean']:.2f} {whole['interval']} over "
            f"{len(rows)} subjects; permutation test over electrodes: 95 % below {out[what]['by_chance_95']:.2f}, "
            f"p = {p:.3f}; " + ", ".join(f"{cell} {rho:+.2f}" for cell, rho in by_cell.items())
        )
    return out


def attention(
    runner: Runner, method: ReaderMethod, folds: Sequence[Fold], say: Callable[[str], None]
) -> dict[str, Any]:
    """`summarised` for all subjects, by the reader of the fold that left each out, on their common channels."""
    study = runner.study
    say("attention")
    rng, people = np.random.default_rng(study.seed), []
    for fold in folds:
        reader = runner.scorer(method, fold.split).reader  # type: ignore[attr-defined]
        pop = population([study.people[i] for i in fold.split.train])
        view = View(study.labels, study.spec, study.track, study.ch_names, pop)
        for i in fold.split.left:
            people.append(of_person(reader, READOUT, study.labels, view.contexts(study.people[i]), rng))
    return summarised(people, study.seed)
