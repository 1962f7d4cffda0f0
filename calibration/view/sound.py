"""The tone at the end of a rest with closed eyes, played where sound is available."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QObject, QUrl
from PyQt6.QtWidgets import QApplication
from scipy.io import wavfile

SFREQ = 44_100
TONE_HZ, TONE_S, LOUDNESS = 523.25, 1.2, 0.35  # a C5 that fades in and out, so as not to startle


def no_sound() -> str:
    """Why no sound can be played; empty when it can."""
    try:
        from PyQt6.QtMultimedia import QMediaDevices
    except ImportError as error:  # a system library that Qt needs for sound may be missing
        return f"Qt cannot play sound: {error}"
    return "no sound device" if QMediaDevices.defaultAudioOutput().isNull() else ""


def waveform() -> np.ndarray:
    """The tone: (n,) int16 at `SFREQ`."""
    t = np.arange(round(TONE_S * SFREQ)) / SFREQ
    shape = np.sin(np.pi * t / TONE_S) ** 2
    sound = np.sin(2 * np.pi * TONE_HZ * t) + 0.3 * np.sin(4 * np.pi * TONE_HZ * t)
    return np.round(LOUDNESS / 1.3 * 32767 * shape * sound).astype("<i2")


class CueTone(QObject):
    """Plays the tone. It never fails: `why_silent` says in advance where there is no sound."""

    def __init__(self) -> None:
        super().__init__()
        self.why_silent = no_sound()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._effect = None
        if not self.why_silent:
            from PyQt6.QtMultimedia import QSoundEffect

            self._folder = tempfile.TemporaryDirectory(prefix="realtime-mood-")
            self.destroyed.connect(self._folder.cleanup)
            path = Path(self._folder.name) / "tone.wav"
            wavfile.write(path, SFREQ, waveform())
            self._effect = QSoundEffect(self)
            self._effect.setSource(QUrl.fromLocalFile(str(path)))

    def ring(self) -> None:
        """Play the tone."""
        if self._effect is not None:
            self._effect.play()
        else:
            QApplication.beep()  # the system's bell, where there is one

    def close(self) -> None:
        """Delete its file."""
        self._effect = None
        if self._folder is not None:
            self._folder.cleanup()
