"""EEGNet, a small convolutional network on the raw context: the neural baseline.

As published [1]_ (EEGNet-8,2, dropout .25 for held-out subjects), except that channels are mixed before they are
filtered in time: both layers are linear, and in this order they cost a tenth on 10 s of context. The batch
normalisation between them is left out.

References
----------
.. [1] Lawhern, Solon, Waytowich, Gordon, Hung, Lance (2018), "EEGNet: a compact convolutional neural network for
   EEG-based brain-computer interfaces", J. Neural Eng. 15(5), doi 10.1088/1741-2552/aace8c.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy import fft
from torch import Tensor, nn
from torch.nn import functional as F

from ..datasets.person import Person
from .baselines import Scorer, Setting
from .contexts import Contexts, View


class EEGNet(nn.Module):
    """(B, n_chans, n_times) to logits (B, n_labels); sampled at 128 Hz."""

    def __init__(self, n_chans: int, n_times: int, n_labels: int, dropout: float = 0.25) -> None:
        super().__init__()
        filters, depth, out = 8, 2, 16
        self.depth = depth
        self.space = nn.Parameter(torch.empty(filters * depth, n_chans))
        self.time = nn.Parameter(torch.empty(filters, 64))  # half a second: from 2 Hz
        nn.init.xavier_uniform_(self.space)
        nn.init.xavier_uniform_(self.time)
        self.first = nn.Sequential(nn.BatchNorm1d(filters * depth), nn.ELU(), nn.AvgPool1d(4), nn.Dropout(dropout))
        self.separable = nn.Sequential(
            nn.ConstantPad1d((7, 8), 0.0),
            nn.Conv1d(filters * depth, filters * depth, 16, groups=filters * depth, bias=False),
            nn.Conv1d(filters * depth, out, 1, bias=False),
            nn.BatchNorm1d(out), nn.ELU(), nn.AvgPool1d(8), nn.Dropout(dropout),
        )  # fmt: skip
        self.head = nn.Linear(out * (n_times // 32), n_labels)

    def forward(self, x: Tensor) -> Tensor:
        mixed = torch.einsum("sc,bct->bst", self.space, x)
        filtered = convolved(mixed, self.time.repeat_interleave(self.depth, 0))
        return self.head(self.separable(self.first(filtered)).flatten(1))

    @torch.no_grad()
    def limit(self) -> None:
        """The published limits on norms of weights: 1 for the mixes of channels, .25 for the head."""
        self.space.copy_(torch.renorm(self.space, 2, 0, 1.0))
        self.head.weight.copy_(torch.renorm(self.head.weight, 2, 0, 0.25))


def convolved(x: Tensor, kernels: Tensor) -> Tensor:
    """Convolve each channel of x (B, N, T) with its kernel (N, L), to the same length; by FFT, for speed."""
    n_times, n_taps = x.shape[-1], kernels.shape[-1]
    n = fft.next_fast_len(n_times + n_taps - 1)
    full = torch.fft.irfft(torch.fft.rfft(x, n) * torch.fft.rfft(kernels, n), n)
    return full[..., n_taps // 2 : n_taps // 2 + n_times]


class EEGNetMethod:
    """Fits an `EEGNet`: Adam 1e-3, batches of 32 contexts balanced by subject and label.

    Of the numbers of `steps`, one is chosen on held-out subjects.
    """

    name, title = "eegnet", "EEGNet"
    any_montage = False

    def __init__(self, steps: Sequence[int] = (500,)) -> None:
        self.settings: Sequence[Setting] = [{"steps": n} for n in steps]
        self.depends: Sequence[object] = (torch.__version__,)

    def fit(self, subjects: Sequence[Person], view: View, setting: Setting, seed: int) -> Scorer:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        contexts = [view.contexts(p) for p in subjects]
        every = np.unique(np.concatenate([c.labels for c in contexts]))
        rows = [[np.flatnonzero(c.labels == y) for y in every] for c in contexts]
        having = [[i for i, own in enumerate(rows) if len(own[k])] for k in range(len(every))]
        n_times = view.spec.n_steps * view.spec.patch_len
        net = EEGNet(len(view.ch_names), n_times, len(view.labels)).train()
        optimiser = torch.optim.Adam(net.parameters(), 1e-3)
        for _ in range(setting["steps"]):
            drawn, numbers = rng.integers(len(contexts), size=32), rng.integers(len(every), size=32)
            chosen = [
                i if len(rows[i][k]) else having[k][i % len(having[k])] for i, k in zip(drawn, numbers, strict=True)
            ]
            x = [contexts[i].raw([rng.choice(rows[i][k])])[0] for i, k in zip(chosen, numbers, strict=True)]
            loss = F.cross_entropy(net(torch.from_numpy(np.stack(x))), torch.from_numpy(every[numbers]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            net.limit()
        net.eval()

        @torch.inference_mode()
        def logits(c: Contexts) -> np.ndarray:
            parts = np.array_split(np.arange(len(c)), max(1, len(c) // 64))
            return np.concatenate([net(torch.from_numpy(c.raw(part))).numpy() for part in parts])

        return logits
