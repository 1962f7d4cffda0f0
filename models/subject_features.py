"""What a network makes of every labelled second of one subject: the input of a personal classifier."""

from __future__ import annotations

import numpy as np
import torch

from .personal import described
from .reader import MoodReader
from .runtime import choose_device
from .sampling import SubjectSampler, plain_batches


@torch.inference_mode()
def describe_subject(
    reader: MoodReader, subject: SubjectSampler, base: str, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """Every labelled second of a sampler's only subject, on a frozen baseline.

    Returns
    -------
    x : (n, F)
        As `personal.described` makes it.
    attention : (n, n_chans, n_bands)
    """
    where = choose_device(device)
    reader, chans = reader.to(where), np.arange(subject.people[0].info.n_chans)
    xs, attention = [], []
    for plain, _ in plain_batches(subject, 0, frozen=True, chans=chans):
        batch = plain.to(where)
        out = reader(batch)
        xs.append(described(out, batch, base).cpu().double().numpy())
        attention.append(out.attention.cpu().numpy())
    return np.concatenate(xs), np.concatenate(attention)
