"""The widget that shows the pictures, sounds and clips of a block, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt6.QtCore import QSize, Qt, QUrl, pyqtSignal
from PyQt6.QtGui import QImageReader, QPainter, QPixmap
from PyQt6.QtWidgets import QStackedWidget, QWidget

from .. import protocol
from .sound import no_sound
from .state import is_picture, share_s


class StimulusPicture(QWidget):
    """One picture, scaled to the widget."""

    def __init__(self) -> None:
        super().__init__()
        self._whole, self._fitted = QPixmap(), QPixmap()

    def show_picture(self, whole: QPixmap) -> None:
        self._whole, self._fitted = whole, QPixmap()
        self.update()

    def paintEvent(self, event):
        if self._whole.isNull():
            return
        if self._fitted.isNull() or self._size() != self._fitted.size():
            smooth = Qt.TransformationMode.SmoothTransformation
            self._fitted = self._whole.scaled(self._size(), Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        p, free = QPainter(self), self.size() - self._fitted.size()
        p.drawPixmap(free.width() // 2, free.height() // 2, self._fitted)
        p.end()

    def _size(self) -> QSize:
        return self._whole.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)


class Media(QStackedWidget):
    """Shows the files of a block. Pictures share its duration evenly; sounds and clips play to their end."""

    failed = pyqtSignal(str)  # a file cannot be shown; the text says which and why
    started = pyqtSignal()  # the first file has begun to be shown or played

    def __init__(self) -> None:
        super().__init__()
        self._blank, self._picture = QWidget(), StimulusPicture()
        self.addWidget(self._blank)
        self.addWidget(self._picture)
        self._player: Any = None  # created when first needed: not every machine can play media
        self._key, self._at, self._since, self._elapsed_s, self._has_started = "", -1, 0.0, 0.0, False
        self._files: tuple[str, ...] = ()

    @property
    def current(self) -> str:
        """The file being shown; empty when there is none."""
        return self._files[self._at] if 0 <= self._at < len(self._files) else ""

    def show_files(self, key: str, files: tuple[str, ...], elapsed_s: float, seconds: float) -> None:
        """Show the files of a block of which `elapsed_s` of `seconds` have elapsed; a new `key` starts them again."""
        self._elapsed_s = elapsed_s
        if key != self._key:
            self._stop()
            self._key, self._files, self._at, self._has_started = key, files, -1, False
            if files:
                self._next()
        elif self.current and is_picture(self.current) and elapsed_s - self._since >= share_s(self._files, seconds):
            self._next()

    def close_player(self) -> None:
        """Stop playing and release the file."""
        self._stop()
        if self._player is not None:
            self._player.setSource(QUrl())

    def _stop(self) -> None:
        self._key, self._files = "", ()
        if self._player is not None:
            self._player.stop()
        self.setCurrentWidget(self._blank)

    def _next(self) -> None:
        if self._at + 1 >= len(self._files):
            return  # the last picture stays until the block is over
        self._at, self._since = self._at + 1, self._elapsed_s
        if is_picture(self.current):
            self._show_picture(self.current)
        else:
            self._play(self.current)

    def _show_picture(self, name: str) -> None:
        reader = QImageReader(name)
        reader.setAutoTransform(True)  # by the orientation in its EXIF data
        image = reader.read()
        if image.isNull():
            self._fail(name, reader.errorString())
            return
        self._picture.show_picture(QPixmap.fromImage(image))
        self.setCurrentWidget(self._picture)
        self._start()

    def _start(self, *_: object) -> None:
        if not self._has_started:
            self._has_started = True
            self.started.emit()

    def _fail(self, name: str, why: str) -> None:
        self._stop()
        self.failed.emit(f"cannot show {Path(name).name}: {why.strip().rstrip('.') or 'unknown format'}")

    # -- what is played -----------------------------------------------------------------------------------------

    def _play(self, name: str) -> None:
        why = no_sound()
        is_sound = Path(name).suffix.lower() in protocol.SOUNDS
        if why.startswith("Qt") or (why and is_sound):
            self._fail(name, why)
        elif not Path(name).is_file():
            self._fail(name, "no such file")
        else:
            player = self._player or self._make_player()
            self.setCurrentWidget(self._blank if is_sound else self._film)
            player.setSource(QUrl.fromLocalFile(str(Path(name).absolute())))
            player.play()

    def _make_player(self) -> Any:
        from PyQt6.QtMultimedia import QAudioOutput, QMediaPlayer
        from PyQt6.QtMultimediaWidgets import QVideoWidget

        self._player, self._film = QMediaPlayer(self), QVideoWidget()
        self._sound = QAudioOutput(self)
        self.addWidget(self._film)
        self._player.setVideoOutput(self._film)
        self._player.setAudioOutput(self._sound)
        self._player.errorOccurred.connect(self._playing_failed)
        self._player.mediaStatusChanged.connect(self._status)
        self._player.positionChanged.connect(self._moved)
        return self._player

    def _moved(self, ms: int) -> None:
        if ms > 0 and self.current:
            self._start()

    def _playing_failed(self, _error: object, why: str) -> None:
        if self.current:
            self._fail(self.current, why)

    def _status(self, status: Any) -> None:
        from PyQt6.QtMultimedia import QMediaPlayer

        if status == QMediaPlayer.MediaStatus.InvalidMedia and self.current:
            self._fail(self.current, self._player.errorString())
        elif status == QMediaPlayer.MediaStatus.EndOfMedia and self.current:
            self._start()  # even when it was too short for a change of position
            self._next()
