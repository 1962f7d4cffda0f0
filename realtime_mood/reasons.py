"""Reasons: what is wrong with an electrode, what is in the signal beside EEG, and why there is no estimate."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """What is wrong with an electrode."""

    FLAT = "flat"
    RAILED = "railed"
    LINE = "line"
    MUSCLE = "muscle"
    DECORRELATED = "decorrelated"
    IMPEDANCE = "impedance"
    EXCLUDED = "excluded"  # left out by the user


class Why(Enum):
    """Why no estimate was given."""

    SETTLING = "settling"
    STALE = "stale"
    GAP = "gap"
    BAD_SIGNAL = "bad_signal"
    UNCALIBRATED = "uncalibrated"
    UNSURE = "unsure"
    MONTAGE = "montage"
    MUSCLE = "muscle"  # too many seconds with muscle activity on many electrodes, as of a clenched jaw
    BLINKS = "blinks"  # too many seconds with rapid blinking
    MOVEMENT = "movement"  # too many seconds in which head or headset were shaken
    UNFAMILIAR = "unfamiliar"  # signal, electrodes or device are unlike those of training


ARTEFACTS = (Why.MUSCLE, Why.BLINKS, Why.MOVEMENT)
"""Reasons that mark seconds: signal that is not EEG, over many electrodes at once."""
