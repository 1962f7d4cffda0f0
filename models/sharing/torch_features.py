"""The features of the pipeline in torch, for windows of clean signal: differentiable, and without state.

The filters are those of `Filters`, applied as their impulse responses, which gives the same output over a window. What
needs the past of a stream or judges it is left out: short gaps, steps of an electrode's offset, detection of the mains
frequency (both are removed), and the quality of electrodes, except that a constant channel is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn

from realtime_mood.dsp.features import Resampler
from realtime_mood.dsp.filters import NOTCH_HZ, Filters
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import POWER_FLOOR
from realtime_mood.errors import ConfigError
from realtime_mood.montage import canonical_name


class WindowFeatures(NamedTuple):
    """Features of a batch of windows."""

    de: Tensor  # (B, n_steps, n_chans, n_bands), nats; 0 where masked
    patches: Tensor  # (B, n_chans, n_patches, patch_len), µV; 0 where masked
    keep_chans: Tensor  # (B, n_chans) bool
    keep_steps: Tensor  # (B, n_steps) bool
    keep_patches: Tensor  # (B, n_patches) bool


class SignalFeatures(nn.Module):
    """Differential entropy and raw patches of windows of one length and rate.

    Parameters
    ----------
    spec : FeatureSpec
    sfreq : float
        Sampling rate (Hz).
    n_times : int
        Samples of a window.

    Raises
    ------
    StreamMismatch
        The rate is too low for the bands.
    ConfigError
        The window is shorter than a step.

    Notes
    -----
    A window as long as ``spec.settle_s`` and the patches together (8 s) or longer is treated as the beginning of a
    stream: steps and patches are masked until the filters have settled. In a shorter one, they have what is left over
    after the patches for it, and below the length of the patches no time at all.
    """

    def __init__(self, spec: FeatureSpec, sfreq: float, n_times: int) -> None:
        super().__init__()
        spec.check(sfreq)
        hops = int(n_times / sfreq / spec.hop_s + 1e-9)
        if hops < spec.hops_per_step:
            found = f"a window of {n_times / sfreq:.3g} s"
            raise ConfigError("features of a window", found, f"give {spec.step_s:g} s or more")
        self.spec, self.n_times, self.end = spec, n_times, spec.grid(hops, sfreq)
        settled = round(settle_s(spec, hops * spec.hop_s) * sfreq)
        firsts = [hops - spec.hops_per_step * back for back in range(spec.n_steps, -1, -1)]
        edges = np.maximum([spec.grid(k, sfreq) for k in firsts], settled)
        share = np.minimum(np.diff(edges) / (spec.step_s * sfreq), 1.0)
        self.edges = edges.tolist()
        clean, banded = Filters(spec, sfreq, 1, NOTCH_HZ)(np.eye(n_times, 1))
        resample = Resampler(spec, sfreq)
        valid = np.arange(self.end - resample.n_in, self.end) >= settled
        constants = {
            "responses": np.concatenate((clean, banded[:, 0]), axis=1).T,  # (1 + n_bands, n_times)
            "resample": resample(np.eye(resample.n_in, dtype=np.float32)),  # (n_in, n_out)
            "keep_steps": share >= 1 - spec.max_hole_share,
            "keep_patches": resample.share(valid) >= 1 - spec.max_hole_share,
        }
        for name, value in constants.items():
            kind = torch.bool if value.dtype == bool else torch.float32
            self.register_buffer(name, torch.as_tensor(value, dtype=kind), persistent=False)

    responses: Tensor
    resample: Tensor
    keep_steps: Tensor
    keep_patches: Tensor

    def forward(self, x: Tensor) -> WindowFeatures:
        """Features of windows (B, n_chans, n_times) in µV."""
        x = x.float()
        begin = x[..., :1]  # the filters start in the steady state of the first sample
        n_fft = next_fast_len(2 * self.n_times, real=True)
        spectrum = torch.fft.rfft(x - begin, n_fft)
        filtered = [
            torch.fft.irfft(spectrum * torch.fft.rfft(h, n_fft), n_fft)[..., : self.end] for h in self.responses
        ]
        clean, power = filtered[0], torch.stack(filtered[1:], -1).square()  # (B, C, T), (B, C, T, K)
        ends = zip(pairwise(self.edges), self.keep_steps.tolist(), strict=True)
        steps = [power[:, :, a:b].mean(2) if keep else power.new_zeros(power[:, :, 0].shape) for (a, b), keep in ends]
        de = 0.5 * torch.log(2 * torch.pi * torch.e * (torch.stack(steps, 1) + POWER_FLOOR))
        n_in = len(self.resample)
        recent = nn.functional.pad(clean, (max(0, n_in - self.end), 0))[..., -n_in:]
        patches = (recent @ self.resample).unflatten(-1, (self.spec.n_patches, self.spec.patch_len))
        keep_chans = (x != begin).any(-1)
        return WindowFeatures(
            torch.where(self.keep_steps[:, None, None], de, 0.0),
            torch.where(self.keep_patches[:, None], patches, 0.0),
            keep_chans | ~keep_chans.any(-1, keepdim=True),  # never all masked
            self.keep_steps.expand(len(x), -1),
            self.keep_patches.expand(len(x), -1),
        )


def settle_s(spec: FeatureSpec, seconds: float) -> float:
    """How long the filters may settle in a window of that length: what the patches leave over, at most the usual."""
    return min(spec.settle_s, max(0.0, seconds - spec.context_s))


def sites_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The 10-05 names of channels.

    Raises
    ------
    ConfigError
        A label is no electrode of the 10-05 system, or two are the same one.
    """
    names = [canonical_name(label) for label in labels]
    if unknown := [label for label, name in zip(labels, names, strict=True) if name is None]:
        do = "rename them, or leave them out"
        raise ConfigError("electrodes of the 10-05 system", f"unknown: {', '.join(unknown)}", do)
    known = tuple(name for name in names if name)
    if len(set(known)) < len(known):
        copies = sorted({name for name in known if known.count(name) > 1})
        raise ConfigError("electrodes of the 10-05 system", f"twice: {', '.join(copies)}", "leave one of each out")
    return known
