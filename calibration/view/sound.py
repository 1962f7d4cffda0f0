"""Turns the end of a rest with closed eyes into a soft tone, where there is anything to play it on."""

from __future__ import annotations

import tempfile
import wave
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QObject, QUrl
from PyQt6.QtWidgets import QApplication

SFREQ = 44_100
TONE_HZ, TONE_S, LOUDNESS = 523.25, 1.2, 0.35  # a C that swells and fades: it must not startle anybody


def no_sound() -> str:
    """Why nothing can be heard here; empty when it can."""
    try:
        from PyQt6.QtMultimedia import QMediaDevices
    except ImportError as error:  # a system library that Qt's sound needs is not everywhere
        return f"Qt cannot play sound: {error}"
    return "no sound device" if QMediaDevices.defaultAudioOutput().isNull() else ""


def waveform() -> np.ndarray:
    """(n,) int16: the tone."""
    t = np.arange(round(TONE_S * SFREQ)) / SFREQ
    shape = np.sin(np.pi * t / TONE_S) ** 2
    sound = np.sin(2 * np.pi * TONE_HZ * t) + 0.3 * np.sin(4 * np.pi * TONE_HZ * t)
    return np.round(LOUDNESS / 1.3 * 32767 * shape * sound).astype("<i2")


class CueTone(QObject):
    """Plays the tone. It never fails: where there is no sound, `why_silent` says so beforehand."""

    def __init__(self) -> None:
        super().__init__()
        self.n_rung = 0
        self.why_silent = no_sound()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._effect = None
        if not self.why_silent:
            from PyQt6.QtMultimedia import QSoundEffect

            self._folder = tempfile.TemporaryDirectory(prefix="realtime-mood-")
            self.destroyed.connect(self._folder.cleanup)
            path = Path(self._folder.name) / "tone.wav"
            with wave.open(str(path), "wb") as f:
                f.setnchannels(1)
                f.setsampwidth(2)
                f.setframerate(SFREQ)
                f.writeframes(waveform().tobytes())
            self._effect = QSoundEffect(self)
            self._effect.setSource(QUrl.fromLocalFile(str(path)))

    def ring(self) -> None:
        """Play it."""
        self.n_rung += 1
        if self._effect is not None:
            self._effect.play()
        else:
            QApplication.beep()  # better than nothing, where the system has a bell

    def close(self) -> None:
        """Take its file away."""
        self._effect = None
        if self._folder is not None:
            self._folder.cleanup()
