"""Turns what is shown into sound on the machine's own device, where it has one."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QIODevice

from ...feedback.tone import SFREQ, FeedbackTone, Kind
from ...viewmodel.feedback import FeedbackFrame

BUFFER_S = 0.04  # what waits in the device adds to the delay


class _Pull(QIODevice):
    """What the device reads from: it asks for as much as it needs."""

    def __init__(self, tone: FeedbackTone, ask: Callable[[], FeedbackFrame | None]) -> None:
        super().__init__()
        self._tone, self._ask, self._glow = tone, ask, 0.0
        self.open(QIODevice.OpenModeFlag.ReadOnly)

    def readData(self, n_bytes: int) -> bytes:
        it = self._ask()
        if it is not None and it.glow > self._glow:
            self._tone.chime()
        self._glow = it.glow if it is not None else 0.0
        n = min(n_bytes // 2, round(BUFFER_S * SFREQ))
        if n <= 0:
            return b""
        level, neutral = (0.5, True) if it is None else (it.size, it.neutral)
        return self._tone.block(level, neutral, n).tobytes()

    def bytesAvailable(self) -> int:
        return 2 * round(BUFFER_S * SFREQ)


class Speaker:
    """Sounds from now until `stop`. `trouble` says why there is none."""

    def __init__(self, kind: Kind, ask: Callable[[], FeedbackFrame | None]) -> None:
        self.trouble, self._sink = "", None
        try:  # needs the system's sound libraries, which a machine without sound may lack
            from PyQt6.QtMultimedia import QAudioFormat, QAudioSink, QMediaDevices
        except ImportError as error:
            self.trouble = f"no sound: {error}"
            return
        device, told = QMediaDevices.defaultAudioOutput(), QAudioFormat()
        told.setSampleRate(SFREQ)
        told.setChannelCount(1)
        told.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        if device.isNull():
            self.trouble = "no sound: this machine has no device for it"
        elif not device.isFormatSupported(told):
            self.trouble = f"no sound: {device.description()} cannot play {SFREQ} Hz"
        else:
            self._pull = _Pull(FeedbackTone(kind), ask)
            self._sink = QAudioSink(device, told)
            self._sink.setBufferSize(2 * round(BUFFER_S * SFREQ))
            self._sink.start(self._pull)

    def stop(self) -> None:
        if self._sink is not None:
            self._sink.stop()
            self._sink = None
