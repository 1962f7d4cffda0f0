"""Movement: how much acceleration varies, in g; still gravity counts for nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .measure import BAD_RATE, NO_SIGNAL, OUT_OF_RANGE, SETTLING, BodyMeasure, invalid
from .window import SignalWindow

WINDOW_S = 2.0
LEAST_HZ = 10.0
MOST_G = 16.0  # what sensors reach


def movement(axes: Sequence[SignalWindow]) -> BodyMeasure:
    """The standard deviation of the acceleration vector (g) over a window of its axes in g.

    A device that lies still has noise of its own: exactly equal samples are a sensor that hangs, so they are flat only
    where all axes are.
    """
    whys = [BAD_RATE if axis.sfreq < LEAST_HZ else axis.trouble() for axis in axes]
    if why := next((why for why in whys if why in (BAD_RATE, NO_SIGNAL, SETTLING)), "") or (all(whys) and whys[0]):
        return invalid("movement", why)
    known = np.all([axis.known for axis in axes], axis=0)
    values = np.stack([axis.values for axis in axes])[:, known]
    quality = float(known.mean())
    if np.abs(values).max() > MOST_G:
        return invalid("movement", OUT_OF_RANGE, quality)
    return BodyMeasure("movement", float(np.sqrt(values.var(axis=1).sum())), quality)
