"""Acceleration and rotation of a simulated subject's head, which shakes when the EEG has muscle bursts."""

from __future__ import annotations

import numpy as np
from scipy import signal

from ...dsp.filters import RunningMean
from ...types import Array
from .artefacts import own_blinks, own_bursts, own_rng, unit_noise
from .blocks import BlockSignal

MOTION_SFREQ = 52.0
SHAKE_HZ = (2.0, 8.0)
SHAKE_G, SHAKE_DPS = 0.01, 6.0  # rms for each µV of the burst: never so much that readings leave it out
NOISE_G, NOISE_DPS = 0.003, 0.3


class VirtualMotion(BlockSignal):
    """Acceleration along x, y, z (g) and rotation about them (degrees per second) at 52 Hz; z points up."""

    def __init__(self, subject: int) -> None:
        super().__init__(6, MOTION_SFREQ)
        self.n = round(MOTION_SFREQ)
        traits, body = own_rng(subject, "posture"), own_rng(subject, "body")
        own_blinks(subject, MOTION_SFREQ, body)
        self._bursts = own_bursts(subject, MOTION_SFREQ, body)
        posture = np.array([0.0, 0.0, 1.0]) + 0.1 * traits.standard_normal(3)
        self._posture = posture / np.linalg.norm(posture)
        self._slow = RunningMean(20.0, MOTION_SFREQ, (3,))
        self._sos = unit_noise(signal.butter(2, SHAKE_HZ, "bandpass", fs=MOTION_SFREQ, output="sos"), MOTION_SFREQ)
        self._zi = np.zeros((len(self._sos), 2, 6))
        self._noise = own_rng(subject, "motion")

    def block(self) -> Array:
        """The next second: (52, 6)."""
        white = self._noise.standard_normal((3, self.n, 6))
        shaking, self._zi = signal.sosfilt(self._sos, white[0], axis=0, zi=self._zi)
        force = sum(events.block(self.n) for events in self._bursts)
        moved = np.asarray(force)[:, None] * shaking * ([SHAKE_G] * 3 + [SHAKE_DPS] * 3)
        moved += white[1] * ([NOISE_G] * 3 + [NOISE_DPS] * 3)
        moved[:, :3] += self._posture + 0.01 * np.sqrt(2 * 20.0 * MOTION_SFREQ) * self._slow(white[2, :, :3])
        return moved.astype(np.float32)
