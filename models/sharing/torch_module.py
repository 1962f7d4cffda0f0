"""The Mood Reader as a torch module of plain signal: (batch, n_chans, n_times) in µV to (batch, n_outputs).

The parameters are named as in braindecode [1]_, so that programs written for its models can train this one.

References
----------
.. [1] Schirrmeister et al. (2017), "Deep learning with convolutional neural networks for EEG decoding and
   visualization", Human Brain Mapping 38, doi 10.1002/hbm.23730.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import CLIP_SD, POWER_FLOOR
from realtime_mood.errors import ConfigError
from realtime_mood.montage import locate

from ..checkpoint import load_weights
from ..pretraining.encoder import begun_with, load_encoder
from ..reader import Batch, MoodReader, ReaderConfig
from .torch_features import SignalFeatures, WindowFeatures, sites_of

OUTPUTS = "outputs"  # name of the single head
HIDE_LEVELS = (0.5, 0.2, 0.2, 0.0)  # raw, early and late DE, eye: as in `TrainingRecipe`


class BandStatistics(nn.Module):
    """Mean and standard deviation of DE by band over the windows of training; they follow them slowly."""

    MOMENTUM = 0.1
    LEAST_SD = 1e-3

    def __init__(self, n_bands: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((n_bands,), 2.5))
        self.register_buffer("sd", torch.full((n_bands,), 0.5))
        self.register_buffer("n_batches", torch.tensor(0))

    mean: Tensor
    sd: Tensor
    n_batches: Tensor

    @torch.no_grad()
    def take_in(self, found: WindowFeatures) -> None:
        """Update with a batch; raises `ConfigError` where its signal is as weak as no EEG in µV is."""
        de = found.de[:, found.keep_steps[0]].transpose(1, 2)[found.keep_chans].flatten(0, 1)  # (n, n_bands)
        sd, mean = torch.std_mean(de, 0, correction=0)
        if not (torch.isfinite(mean).all() and (sd > self.LEAST_SD).any()):
            found_rms = f"band power of {self.power(mean).sum().sqrt():.2g} µV rms, the same everywhere"
            raise ConfigError("training on windows of EEG", found_rms, "give finite signal in µV, not in V")
        gain = 1.0 if self.n_batches == 0 else self.MOMENTUM
        self.mean += gain * (mean - self.mean)
        self.sd += gain * (sd.clamp(min=self.LEAST_SD) - self.sd)
        self.n_batches += 1

    def forward(self, found: WindowFeatures) -> tuple[Tensor, Tensor]:
        """DE and patches as the network's input, as `Statistics.standardise` does."""
        z = ((found.de - self.mean) / self.sd).clamp(-CLIP_SD, CLIP_SD) * found.keep_steps[:, :, None, None]
        rms = self.power(self.mean).sum().clamp(min=1.0).sqrt()
        return z, (found.patches / rms).clamp(-CLIP_SD, CLIP_SD)

    @staticmethod
    def power(de: Tensor) -> Tensor:
        """Band power (µV²) of a DE in nats."""
        return torch.exp(2 * de) / (2 * torch.pi * torch.e) - POWER_FLOOR


class MoodReaderModule(nn.Module):
    """Mood Reader of windows of EEG, with its features inside.

    Parameters
    ----------
    n_outputs : int
        Number of classes.
    n_chans : int, optional
        Number of channels; by default, those of `chs_info`.
    chs_info : sequence of mappings or str
        ``info["chs"]`` of MNE, or the names of the electrodes: the network needs their positions.
    n_times : int, optional
        Samples of a window; by default, from `input_window_seconds`.
    input_window_seconds : float, optional
    sfreq : float
        Sampling rate (Hz), 99 or more.
    weights : str, optional
        Trained weights to start from, by name or folder: everything but the last layer.
    encoder : str or Path, optional
        Pre-trained raw encoder to start from (see `load_encoder`).
    network : mapping, optional
        Fields of `ReaderConfig`, such as ``{"dim": 32}``.

    Raises
    ------
    ConfigError
        A parameter is missing, contradicts another, or names no electrode.
    StreamMismatch
        The sampling rate is too low.
    WeightsError
        Weights or encoder cannot be read.

    Notes
    -----
    Features are standardised by the mean and standard deviation of the training windows (`BandStatistics`), since a
    window says nothing about its subject's rest. Live readings are compared with the subject's own baseline instead,
    which is why figures of the two differ. With `weights`, the statistics start from those of its subjects.

    In training, some levels of the network are hidden at random, as in `TrainingRecipe`, so that each suffices alone.

    Examples
    --------
    >>> module = MoodReaderModule(n_outputs=3, chs_info=["C3", "C4", "O1", "O2"], n_times=1280, sfreq=128)
    >>> module(torch.randn(2, 4, 1280)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        n_outputs: int | None = None,
        n_chans: int | None = None,
        chs_info: Sequence[Mapping[str, Any] | str] | None = None,
        n_times: int | None = None,
        input_window_seconds: float | None = None,
        sfreq: float | None = None,
        *,
        weights: str | None = None,
        encoder: str | Path | None = None,
        network: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if n_outputs is None or chs_info is None or sfreq is None or (n_times or input_window_seconds) is None:
            do = "give n_outputs, chs_info (or names), sfreq, and n_times or input_window_seconds"
            raise ConfigError("a MoodReaderModule", "a parameter is missing", do)
        labels = [each if isinstance(each, str) else str(each["ch_name"]) for each in chs_info]
        self.n_outputs, self.n_chans, self.sfreq = n_outputs, len(labels), float(sfreq)
        self.n_times = n_times or round((input_window_seconds or 0) * sfreq)
        if n_chans not in (None, self.n_chans):
            raise ConfigError(f"n_chans={n_chans}", f"chs_info has {self.n_chans}", "give one of the two")
        if input_window_seconds and self.n_times != round(input_window_seconds * sfreq):
            found = f"input_window_seconds={input_window_seconds:g} at {sfreq:g} Hz"
            raise ConfigError(f"n_times={n_times}", found, "give one of the two")
        self._build(FeatureSpec(), sites_of(labels), weights, encoder, dict(network or {}))

    def _build(
        self, spec: FeatureSpec, sites: tuple[str, ...], weights: str | None, encoder: str | Path | None,
        network: dict[str, Any],
    ) -> None:  # fmt: skip
        start = load_weights(weights) if weights else None
        state, card = load_encoder(Path(encoder)) if encoder else ({}, {"config": {}})
        config = start.reader.config if start else ReaderConfig()
        config = begun_with(replace(config, **network), card)
        config = replace(config, **network, readouts={OUTPUTS: self.n_outputs})
        if start:
            spec = start.card.spec
        self.features = SignalFeatures(spec, self.sfreq, self.n_times)
        self.statistics = BandStatistics(spec.n_bands)
        self.reader = MoodReader(config)
        self.register_buffer("positions", torch.as_tensor(locate(sites)), persistent=False)
        if start:
            body = {name: x for name, x in start.reader.state_dict().items() if not name.startswith("heads.")}
            self.reader.load_state_dict(body | {n: x for n, x in self.reader.state_dict().items() if n not in body})
            head = next(iter(start.card.readouts.values()))
            self.statistics.mean = torch.tensor(head.population_mean)
            self.statistics.sd = torch.tensor(head.population_sd)
            self.statistics.n_batches += 1
        if state:
            self.reader.raw.load_state_dict(state)

    positions: Tensor

    @property
    def final_layer(self) -> nn.Module:
        """The last layer, a linear one: what is replaced for other classes."""
        return self.reader.heads[OUTPUTS]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one window as a batch."""
        return 1, self.n_chans, self.n_times

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, n_outputs) of windows (batch, n_chans, n_times) in µV."""
        if x.ndim != 3 or tuple(x.shape[1:]) != self.input_shape[1:]:
            found = f"an input of shape {tuple(x.shape)}"
            raise ConfigError(f"windows (batch, {self.n_chans}, {self.n_times})", found, "cut or resample the windows")
        found = self.features(x)
        if self.training:
            self.statistics.take_in(found)
        z, patches = self.statistics(found)
        batch = Batch(
            z, patches, self.positions.expand(len(x), -1, -1), found.keep_chans, found.keep_steps, found.keep_patches
        )
        scores: Tensor = self.reader(batch, self._shown(len(x)) if self.training else None).scores[OUTPUTS]
        return scores

    def _shown(self, n: int) -> Tensor:
        """Which levels of each sample reach the fusion: (n, 4) bool, one at least."""
        shown = torch.rand(n, 4, device=self.positions.device) >= self.positions.new_tensor(HIDE_LEVELS)
        shown[:, 2] |= ~shown[:, :3].any(1)
        return shown
