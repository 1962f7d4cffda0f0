"""The sound of a feedback session, on the default audio device."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QIODevice

from ...feedback.tone import SFREQ, FeedbackTone, Kind
from ...language import _
from ...viewmodel.feedback import FeedbackFrame

BUFFER_S = 0.04  # the device's buffer adds to the delay


class _Pull(QIODevice):
    """What the device reads samples from."""

    def __init__(self, tone: FeedbackTone, ask: Callable[[], FeedbackFrame | None]) -> None:
        super().__init__()
        self._tone, self._ask, self._glow = tone, ask, 0.0
        self.open(QIODevice.OpenModeFlag.ReadOnly)

    def readData(self, n_bytes: int) -> bytes:
        frame = self._ask()
        if frame is not None and frame.glow > self._glow:
            self._tone.chime()
        self._glow = frame.glow if frame is not None else 0.0
        n = min(n_bytes // 2, round(BUFFER_S * SFREQ))
        if n <= 0:
            return b""
        level, neutral = (0.5, True) if frame is None else (frame.size, frame.neutral)
        return self._tone.block(level, neutral, n).tobytes()

    def bytesAvailable(self) -> int:
        return 2 * round(BUFFER_S * SFREQ)


class Speaker:
    """Plays from creation until `stop`; `trouble` is the reason if it cannot."""

    def __init__(self, kind: Kind, ask: Callable[[], FeedbackFrame | None]) -> None:
        self.trouble, self._sink = "", None
        try:  # needs the system's sound libraries, which a machine without sound may lack
            from PyQt6.QtMultimedia import QAudioFormat, QAudioSink, QMediaDevices
        except ImportError as error:
            self.trouble = _("no sound: {error}", error=error)
            return
        device, audio_format = QMediaDevices.defaultAudioOutput(), QAudioFormat()
        audio_format.setSampleRate(SFREQ)
        audio_format.setChannelCount(1)
        audio_format.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        if device.isNull():
            self.trouble = _("no sound: there is no audio device")
        elif not device.isFormatSupported(audio_format):
            self.trouble = _("no sound: {device} cannot play {rate} Hz", device=device.description(), rate=SFREQ)
        else:
            self._pull = _Pull(FeedbackTone(kind), ask)
            self._sink = QAudioSink(device, audio_format)
            self._sink.setBufferSize(2 * round(BUFFER_S * SFREQ))
            self._sink.start(self._pull)

    def stop(self) -> None:
        if self._sink is not None:
            self._sink.stop()
            self._sink = None
