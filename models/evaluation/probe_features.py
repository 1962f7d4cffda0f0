"""Features of the probe suite: what each row of its table shows a linear model, by window and electrode.

* ``bands``: log power in the five bands;
* ``spectrum``: log power in bins of 1 Hz, from 1 to 45 Hz;
* ``de``: differential entropy of the causal filters that run live;
* ``untrained``, ``encoder``: tokens of a raw encoder, averaged over the window's patches.

Powers are means of periodograms of half overlapping seconds [1]_.

References
----------
.. [1] Welch (1967), "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio
   Electroacoust. 15(2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import save
from scipy import signal

from ..pretraining.encoder import load_encoder
from ..reader import RawEncoder, ReaderConfig
from .probe_tasks import Unit

BINS = slice(1, 46)  # in Hz, as segments are of a second
LEAST_UV2 = 1e-4  # µV²/Hz
BLOCK = 64  # windows at a time


class ProbeFeatures(Protocol):
    """Computes features that a linear model is fitted to."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def depends(self) -> list[object]:
        """What they depend on beyond the windows."""
        ...

    def __call__(self, unit: Unit, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
        """Features (n, C, F) of the windows that end with the seconds `ends` (n,), on the electrodes `chans` (C,)."""
        ...


@dataclass(frozen=True)
class PlainFeatures:
    """A function of windows, without parameters."""

    name: str
    title: str
    function: Callable[[Unit, np.ndarray, np.ndarray], np.ndarray]

    @property
    def depends(self) -> list[object]:
        """Nothing but its own code, which is hashed with this module's."""
        return [self.name]

    def __call__(self, unit: Unit, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
        return self.function(unit, ends, chans)


def power(unit: Unit, ends: np.ndarray, chans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (n_freqs,) in Hz, and power density (n, C, n_freqs) in µV²/Hz of whole windows."""
    x, sfreq = unit.patches(ends, chans, scaled=False), unit.spec.patch_sfreq
    freqs, density = signal.welch(x.reshape(*x.shape[:2], -1), sfreq, "hann", nperseg=round(sfreq))
    return freqs, density


def log_bands(unit: Unit, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
    """(n, C, n_bands): log mean power in each band."""
    freqs, density = power(unit, ends, chans)
    inside = [(freqs >= low) & (freqs < high) for low, high in unit.spec.bands.values()]
    return np.log(np.stack([density[..., at].mean(axis=-1) for at in inside], axis=-1) + LEAST_UV2)


def log_spectrum(unit: Unit, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
    """(n, C, 45): log power at 1, 2 … 45 Hz."""
    return np.log(power(unit, ends, chans)[1][..., BINS] + LEAST_UV2)


PLAIN_ROWS: dict[str, ProbeFeatures] = {
    row.name: row
    for row in (
        PlainFeatures("bands", "log band powers", log_bands),
        PlainFeatures("spectrum", "log spectrum, bins of 1 Hz", log_spectrum),
        PlainFeatures("de", "DE of five bands, causal", Unit.de),
    )
}


class TokenFeatures:
    """Tokens of a raw encoder, averaged over the patches of a window; bad electrodes are hidden from it.

    Parameters
    ----------
    name, title : str
    state : mapping of str to Tensor
        Weights; those that are not there are random.
    config : ReaderConfig
    seed : int
        Of random weights.
    """

    def __init__(
        self, name: str, title: str, state: Mapping[str, torch.Tensor], config: ReaderConfig, seed: int
    ) -> None:
        self.name, self.title = name, title
        sha256 = hashlib.sha256(save(dict(state))).hexdigest()
        self.depends: list[object] = [name, sha256, seed, asdict(config), torch.__version__]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = RawEncoder(config).eval().requires_grad_(False)
        self.encoder.load_state_dict(state, strict=False)

    @torch.inference_mode()
    def __call__(self, unit: Unit, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
        where = torch.as_tensor(unit.person.positions[chans], dtype=torch.float32)
        parts = []
        for some in np.array_split(ends, len(ends) // BLOCK + 1):
            patches = torch.from_numpy(unit.patches(some, chans))
            given = (patches, where.expand(len(some), -1, -1), torch.from_numpy(unit.good(some, chans)))
            tokens, keep = self.encoder.window(*given, torch.ones(len(some), patches.shape[2], dtype=torch.bool))
            parts.append(self.encoder(tokens, keep).unflatten(1, (len(chans), -1)).mean(2).numpy())
        return np.concatenate(parts)


def encoder_rows(encoder: Path | None, seed: int) -> tuple[list[ProbeFeatures], dict[str, Any]]:
    """An untrained encoder, the pre-trained one where there is one, of the same shape, and the card of the latter."""
    if encoder is None:
        return [TokenFeatures("untrained", "encoder, untrained", {}, ReaderConfig(dropout=0.0), seed)], {}
    state, card = load_encoder(encoder)
    config = ReaderConfig(dropout=0.0, **card["config"])
    statistics = {name: x for name, x in state.items() if "standardised" in name}  # of spectra; they are not learnt
    return [
        TokenFeatures("untrained", "encoder, untrained", statistics, config, seed),
        TokenFeatures("encoder", f"encoder {encoder.name}, frozen", state, config, seed),
    ], card
