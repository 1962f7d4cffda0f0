"""Screenshots of the documentation: a minute of the real program on a simulated subject (``make screenshots``).

The window, dark and light; its dialogs; what the subject sees; and a short film of a mood that changes. With the real
recordings at hand, a person of theirs too. The figures of docs/evaluation are written by `evaluate`.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt

from PIL import Image
from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication, QWidget
from rich.console import Console

import app
from benchmarks.effort_lsl import FOLDER, files
from benchmarks.loop import OwnRun
from benchmarks.rig import run_json
from realtime_mood import gui
from realtime_mood.calibration.commands import protocols
from realtime_mood.cli import feedback as feedback_run
from realtime_mood.cli import terminal
from realtime_mood.cli.config import resolve
from realtime_mood.errors import ConfigError
from realtime_mood.gui.bridge import RunBridge
from realtime_mood.gui.feedback.displays import Bar, Landscape
from realtime_mood.gui.feedback.view import FeedbackView
from realtime_mood.gui.subject import Screen
from realtime_mood.gui.theme import style
from realtime_mood.gui.window import MainWindow
from realtime_mood.health import Feedback
from realtime_mood.run.engine import Engine
from realtime_mood.viewmodel.feedback import shown

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
URL = "synthetic://?subject=90001&n_chans={n_chans}&sfreq={sfreq:g}"
SCRIPT = "&script=neutral:20,positive:20,negative:20,neutral:20"
SIZE, LARGE = (1280, 720), (1920, 1080)
LOOKS = {"": ("dark", SIZE), "-light-large": ("light", LARGE)}
"""Theme and size of the window in the README and in the guide, by the ending of the picture's name."""
FILM = 640, 360
FILM_S = (23.0, 40.0)  # from one state into the next
FILM_EVERY_S = 0.5


def _no_session(name: str) -> NoReturn:
    raise ConfigError(f"session {name}", "nothing runs in a picture", "run feedback")


class Rig:
    """The window as the program puts it together, on `url`, remembering nothing."""

    def __init__(self, url: str, folder: Path, profile: Path | None = None) -> None:
        self.qt = QApplication.instance() or QApplication(["screenshots"])
        self.engines: list[Engine] = []
        request = gui.RunRequest(url, profile)
        sessions = feedback_run.sessions()
        flows = gui.Flows(self._engine, folder, protocols(), lambda *_: None, sessions, _no_session)
        memory = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        bridge = RunBridge(flows.make_engine, request, can_calibrate=True, can_feed_back=True)
        self.window = MainWindow(bridge, flows, resolve({}).weights, memory)
        self.window.resize(*SIZE)
        self.window.show()
        self.window.show_operator()
        bridge.start()

    def _engine(self, request: gui.RunRequest) -> Engine:
        options = {"source": request.url, "profile": request.profile, "record": request.record}
        self.engines.append(app.make_engine(resolve(options)))
        return self.engines[-1]

    def live(self, seconds: float) -> None:
        """Let the window live for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.qt.processEvents()
            time.sleep(0.001)

    def calm(self, seconds: float) -> None:
        """Let it live without what taking pictures and changing sizes costs: that is no wait of the program's."""
        self.live(0.1)
        self.window.bridge.frame_ms.clear()
        self.live(seconds)

    def check(self) -> None:
        if not self.engines or self.engines[-1].latest is None:  # a picture of a failure is no documentation
            raise SystemExit(self.window.banner.banner.text())

    def looks(self) -> Iterator[str]:
        """Each of `LOOKS`."""
        for suffix, (theme, size) in LOOKS.items():
            self.window._use_theme(theme)
            self.window.resize(*size)
            self.live(0.4)
            self.window.show_operator()
            self.calm(0.8)
            yield suffix

    def close(self) -> None:
        self.window.close()
        while self.window.bridge.is_running:
            self.qt.processEvents()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=41.0)
    parser.add_argument("--out", type=Path, default=PICTURES)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "lsl_api.cfg"  # streams of other programs here are no part of the documentation
        alone.write_text("[lab]\nSessionID = screenshots\n")
        os.environ["LSLAPICFG"] = str(alone)
        rig = Rig(URL.format(n_chans=32, sfreq=256) + SCRIPT, Path(folder))
        try:
            pictures(rig, asked.out, asked.seconds)
        finally:
            rig.close()
    session(asked.out)
    displays(asked.out)
    if (FOLDER / "eegmat_dev24_125hz.npz").exists():
        real(asked.out)
    else:
        print("The real recordings are not at hand: window-real.png stays as it is.")


def pictures(rig: Rig, out: Path, seconds: float) -> None:
    """Everything the documentation shows of one run."""
    window = rig.window
    began, frames = time.monotonic(), list[Image.Image]()
    while (now := time.monotonic() - began) < seconds:
        if FILM_S[0] <= now <= FILM_S[1]:
            frames.append(
                picture(window).resize(FILM, Image.Resampling.LANCZOS).quantize(128, method=Image.Quantize.FASTOCTREE)
            )
            rig.live(FILM_EVERY_S - (time.monotonic() - began - now))
        else:
            rig.live(min(0.5, seconds - now))
    rig.check()
    if frames:  # a shorter run has no film
        frames[0].save(out / "mood.gif", save_all=True, append_images=frames[1:], duration=300, loop=0, optimize=True)
    for suffix in rig.looks():
        window.grab().save(str(out / f"window{suffix}.png"))
    terminal_picture(rig, out / "terminal.svg")
    window._use_theme("dark")
    window.resize(*LARGE)
    rig.calm(1.0)
    window.panels.docks["details"].grab().save(str(out / "window-streams.png"))
    window.resize(*SIZE)
    window.show_demo()
    rig.calm(1.0)
    window.grab().save(str(out / "window-demo.png"))
    window.toggle_subject()
    rig.live(1.0)
    window.subject.grab().save(str(out / "window-subject.png"))
    window.subject.close()
    window.show_operator()
    window.sources.open()
    rig.live(3.0)
    assert window.sources.dialog is not None
    window.sources.dialog.grab().save(str(out / "window-connect.png"))
    window.sources.dialog.reject()


def session(out: Path) -> None:
    """What the person sees in a session of feedback, a minute and a bit into it."""
    qt = QApplication.instance() or QApplication(["screenshots"])
    with tempfile.TemporaryDirectory() as folder:
        config = resolve({"source": "synthetic://?subject=90001&script=neutral:900"})
        plan, loop = feedback_run.session_of("alpha_up", config, feedback_run.Draw(), Path(folder) / "a")
        view = FeedbackView(plan, loop, OwnRun(app.make_engine(config, [loop])))
        view.resize(960, 620)
        view.show()
        view.yes.click()
        until = time.monotonic() + 85
        while time.monotonic() < until:
            qt.processEvents()
            time.sleep(0.002)
        view.grab().save(str(out / "feedback.png"))
        view.close()
        while not view._run.is_over:
            qt.processEvents()


def displays(out: Path) -> None:
    """The other displays: at a low level, at a high one with a reward, and without feedback."""
    wide, high = 960, 640
    sheet = Image.new("RGB", (3 * wide // 2, 2 * high // 2))
    for row, kind in enumerate((Bar, Landscape)):
        display, screen = kind(), Screen("")
        screen.setStyleSheet(style())
        display.setParent(screen)
        for widget in (screen, display):
            widget.resize(wide, high)
        for column, (level, rewarded, valid) in enumerate(((0.15, -9.0, True), (0.9, 0.0, True), (0.5, -9.0, False))):
            fed = Feedback(0.0, 0.0, 1, "feedback", "Let it grow", level, False, valid, "", 3, 80.0, True)
            display.show_it(shown(fed, None, 0.0, rewarded, 0.0))
            tile = picture(screen).resize((wide // 2, high // 2), Image.Resampling.LANCZOS)
            sheet.paste(tile, (column * wide // 2, row * high // 2))
    sheet.save(out / "feedback-displays.png", optimize=True)


def real(out: Path) -> None:
    """A person of EEGMAT who is in nobody's training, at mental arithmetic, after a minute of rest for a baseline."""
    with tempfile.TemporaryDirectory() as folder:
        person = next(iter(files(FOLDER, Path(folder)).values()))
        profile = Path(folder) / "profile.json"
        run_json("calibrate", "--source", f"playback://{person['rest'][0]}?speed=8", "--protocol", "baseline",
                 "--profile", str(profile), "--seconds", "60")  # fmt: skip
        rig = Rig(f"playback://{person['arithmetic'][0]}", Path(folder), profile)
        try:
            rig.live(45.0)
            rig.check()
            rig.window.top.url.setText("playback://arithmetic_raw.fif")
            rig.window.grab().save(str(out / "window-real.png"))
        finally:
            rig.close()


def picture(widget: QWidget) -> Image.Image:
    grabbed = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGB888)
    bits = grabbed.constBits()
    assert bits is not None
    raw = bits.asarray(grabbed.sizeInBytes())
    return Image.frombuffer(
        "RGB", (grabbed.width(), grabbed.height()), bytes(raw), "raw", "RGB", grabbed.bytesPerLine(), 1
    )


def terminal_picture(rig: Rig, path: Path) -> None:
    console = Console(width=80, height=24, record=True, file=io.StringIO())
    console.print(terminal.picture(terminal.look(rig.engines[-1])))
    svg = console.export_svg(title="realtime-mood run --view terminal")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture must not fetch fonts from afar
    path.write_text(svg.replace("Fira Code", "DejaVu Sans Mono"))


if __name__ == "__main__":
    main()
