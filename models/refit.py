"""Fits what is unfamiliar to weights that exist already; their network, temperatures and golden pair stay."""

from __future__ import annotations

from pathlib import Path

from realtime_mood.errors import ConfigError
from realtime_mood.files import write_whole

from .card import Card, find, read_file
from .checkpoint import load_weights
from .crossfit import Log, splits_of, writing
from .familiarity_fit import with_familiarity
from .ship import N_FOLDS, gather


def refit(weights: str, data: Path, out: Path, n_virtual: int, log: Log, seed: int = 0) -> Card:
    """Write the weights to `out` with what is familiar to each readout, and return their card.

    Parameters
    ----------
    weights : str
        Of the shipped readouts, by name or folder.
    data : Path
        The folder of EEGMAT.
    out : Path
        May be the folder of the weights.
    n_virtual : int
        Number of simulated subjects of training to use, from seed 0 on.
    log : callable
        Receives lines of progress.
    seed : int
        Of the folds, whose held-out subjects give the limits.

    Raises
    ------
    ConfigError
        The weights have other readouts.
    WeightsError
        They are missing or altered.
    """
    card, folder = load_weights(weights).card, find(weights)
    readouts = gather(data, range(n_virtual), card.spec, log)
    if set(readouts) != set(card.readouts):
        found = f"its readouts are {', '.join(card.readouts)}"
        raise ConfigError(f"what is unfamiliar to {weights}", found, "train those weights again")
    heads, training = {}, card.training
    for name, readout in readouts.items():
        splits = splits_of(len(readout.subjects), N_FOLDS, seed)
        heads[name], unfamiliar = with_familiarity(card.readouts[name], readout.subjects, card.spec, splits, seed)
        training["figures"][name] |= {"unfamiliar": unfamiliar}
        log(f"{name}: of readings of {len(readout.subjects)} held-out subjects are unfamiliar: {unfamiliar}")
    new = card.model_copy(update={"readouts": heads, "training": training})
    blobs = {name: read_file(folder, name, card, weights) for name in card.sha256}
    with writing(out):
        for name, blob in {**blobs, "config.json": new.to_json()}.items():
            write_whole(out / name, blob)
    load_weights(str(out))
    log(f"saved {out}")
    return new
