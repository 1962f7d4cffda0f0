"""The main window: buttons and banner at the top, panels, and the status line at the bottom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import Path

from PyQt6.QtCore import QSettings
from PyQt6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PyQt6.QtWidgets import QMainWindow, QWidget

from ..errors import MoodError
from ..language import N_, _
from ..viewmodel.affect import whisker_tip
from ..viewmodel.shortcuts import MARK_KEYS, SHORTCUTS
from . import CalibrationScreen, Flows, RunRequest, correcting, theme
from .autosave_bar import AutosaveBar
from .bridge import RunBridge
from .computer_check import FaultHelp
from .controls import BannerBar, StripBar, TopBar
from .details import Details
from .feedback.view import FeedbackView, OperatorRun
from .heads import QualityHead
from .labels import ask_to_end, column, row, set_tip
from .maps import Maps
from .mood import Bars, TimeCourse
from .panels import TITLES, KeysDialog, Panels, remembered
from .plane import Plane
from .reporting import ReportPages
from .settings import SettingsDialog
from .source_choice import SourceChoice
from .stream_feed import StreamFeed
from .subject import SubjectView
from .theme import show_beside, toggle_full
from .tour import show_tour
from .traces import Traces

END_FEEDBACK = N_("A feedback session is open. End it now? Once feedback has begun, its code cannot be used again.")
END_CALIBRATION = N_(
    "A calibration is under way. End it now? It cannot be continued. What has been recorded of it is offered at the "
    "next start of this window."
)


class MainWindow(QMainWindow):
    """The main window. Closing it during a run ends the run first.

    `weights` is the name of the network in use; layout, theme and language are kept in `memory`, by default in the
    user's configuration folder.
    """

    def __init__(self, bridge: RunBridge, flows: Flows, weights: str = "", memory: QSettings | None = None) -> None:
        super().__init__()
        self.setWindowTitle(_("Realtime mood"))
        self.setMinimumSize(*theme.SMALLEST)
        self.resize(1280, 720)
        self.bridge, self.flows = bridge, flows
        self.memory = memory or remembered()
        self.top = TopBar(bridge.request.url, flows.protocols, flows.sessions)
        self.banner, self.strip = BannerBar(weights), StripBar()
        self.autosave = AutosaveBar(bridge, flows, self.memory)
        self.fault_help = FaultHelp(bridge, flows.examine)
        self.traces, self.bars, self.course, self.plane = Traces(), Bars(), TimeCourse(), Plane()
        set_tip(self.bars, whisker_tip())
        self.maps, self.quality = Maps(), QualityHead()
        self.details, self.feed = Details(), StreamFeed(bridge)
        self.spectrum, self.events = self.details.spectrum, self.details.events
        self.subject = SubjectView()
        self.reports = ReportPages(bridge)
        self.calibration: CalibrationScreen | None = None
        self.session: QWidget | None = None
        self.ask: Callable[[str], bool] = partial(ask_to_end, self)
        self._arrange()
        self.sources = SourceChoice(self, self.top.connect_, bridge, flows.setups)
        self._connect()
        self._closing = False
        self._then: Callable[[], None] | None = None  # called when the run has ended
        self._use_theme(self.memory.value("window/theme") or theme.system())
        self.panels.recall()
        self.autosave.recall()
        if (hints := QGuiApplication.styleHints()) is not None:
            hints.colorSchemeChanged.connect(self._follow)

    def _arrange(self) -> None:
        above, estimate = QWidget(), QWidget()
        above.setObjectName("root")
        column(self.top, self.banner, self.fault_help, self.autosave, on=above, margins=(10, 8, 10, 6), spacing=6)
        self.setMenuWidget(above)
        status = self.statusBar()
        assert status is not None
        status.setSizeGripEnabled(False)
        status.addWidget(self.strip, 1)
        self.setContentsMargins(10, 0, 10, 0)
        row((self.bars, 2), (self.course, 4), on=estimate, spacing=14)
        widgets = (self.traces, estimate, self.plane, self.maps, self.quality, self.details)
        self.panels = Panels(self, dict(zip(TITLES, widgets, strict=True)), self.memory)
        self.top.views.setMenu(self.panels.menu(
            (_("Operator layout"), self.show_operator), (_("Demonstration layout"), self.show_demo),
            (_("Subject view…"), self.toggle_subject), (_("Light or dark theme"), self.toggle_theme),
            (_("Full screen"), self.toggle_full_screen), *self._more(),
        ))  # fmt: skip

    def _more(self) -> list[tuple[str, Callable[[], None]]]:
        """Entries of the View menu that depend on what the window was given."""
        entries: list[tuple[str, Callable[[], None]]] = [(_("Tour of the window…"), lambda: show_tour(self))]
        if (setups := self.flows.setups) is not None:
            entries.append((_("Settings…"), lambda: SettingsDialog(self, setups, self.memory).open()))
        if self.flows.examine is not None:
            entries.append((_("Check this computer…"), self.fault_help.open))
        return entries

    def _connect(self) -> None:
        bridge, top = self.bridge, self.top
        panels = (self.traces, self.bars, self.course, self.plane, self.quality)
        for widget in (top, self.banner, self.strip, *panels, self.subject):
            bridge.state_changed.connect(widget.show_state)
        bridge.maps_changed.connect(self.maps.show_state)
        bridge.signal_changed.connect(self.traces.show_signal)
        bridge.minute_changed.connect(self.spectrum.show_signal)
        bridge.events_changed.connect(self.events.show_lines)
        bridge.idle.connect(self._gone)
        self.spectrum.seen.connect(partial(setattr, bridge, "minute_is_seen"))
        self.details.streams.seen.connect(partial(setattr, self.feed, "width_px"))
        self.feed.presence_changed.connect(self.details.show_presence)
        self.feed.streams_changed.connect(self.details.streams.show_streams)
        self.traces.settings_changed.connect(partial(setattr, bridge, "traces"))
        self.traces.exclude_requested.connect(bridge.leave_out)
        bridge.reference_refused.connect(self.traces.controls.as_recorded)
        self.events.save_requested.connect(bridge.save_events)
        self.banner.renew_requested.connect(self.renew_baseline)
        self.banner.keep_requested.connect(self.keep_baseline)
        top.start_requested.connect(self._start)
        top.stop_requested.connect(lambda: bridge.stop() if self._may_end_session() else None)
        top.calibration_requested.connect(self.calibrate)
        top.feedback_requested.connect(self.feed_back)
        top.record.clicked.connect(self.toggle_record)
        top.report.clicked.connect(self.open_report)
        top.help.clicked.connect(self.show_shortcuts)
        self.sources.chosen.connect(self._run_chosen)
        correcting.bind(self, bridge)
        for shortcut in SHORTCUTS:
            QShortcut(QKeySequence(shortcut.key), self).activated.connect(attrgetter(shortcut.does)(self))

    # -- actions ---------------------------------------------------------------------------------------

    def _start(self, url: str) -> None:
        request = self.bridge.request
        # A profile belongs to one subject and cap: it is not used with another source.
        self.run_on(url, request.profile if url == request.url else None)

    def _may_end_session(self) -> bool:
        """Ask before a feedback session is ended from this window; True if none is open."""
        return not self.bridge.in_session or self.ask(_(END_FEEDBACK))

    def _may_end_calibration(self) -> bool:
        """The same of a calibration."""
        return self.calibration is None or not self.calibration.is_underway or self.ask(_(END_CALIBRATION))

    def run_on(self, url: str, profile: Path | None = None) -> None:
        """Start a run, after the present one has ended."""
        self.traces.clear()
        self.top.url.setText(url)
        self.bridge.start(replace(self.bridge.request, url=url, profile=profile))

    def _run_chosen(self, request: RunRequest, weights: str) -> None:
        if weights:
            self.banner.show_weights(weights)
        self.bridge.request = replace(self.bridge.request, also=request.also, markers=request.markers)
        self.run_on(request.url, request.profile)

    def calibrate(self, protocol: str = "") -> None:
        """Calibrate on this source; the run then continues with the new profile."""
        if not self.top.calibrate.isEnabled() or self.calibration is not None or self.flows.calibrate is None:
            return
        name, open_calibration = protocol or self.flows.protocols[0][0], self.flows.calibrate
        url = self.top.url.text().strip()

        def begin() -> None:
            self.calibration = open_calibration(replace(self.bridge.request, url=url), name, closed)

        def closed(profile: Path | None) -> None:
            self.calibration = None
            if not self._closing:
                self.run_on(url, profile or self.bridge.request.profile)

        self._once_idle(begin)

    def feed_back(self, session: str = "") -> None:
        """Open a feedback session on this source, on the subject's screen; this window keeps showing the run."""
        if not self.top.feedback.isEnabled() or self.session is not None or self.flows.feedback is None:
            return
        try:
            plan, loop = self.flows.feedback(session or self.flows.sessions[0][0])
        except MoodError as error:
            self.bridge.notify(str(error))
            return
        self.bridge.request = replace(self.bridge.request, url=self.top.url.text().strip())
        self.session = FeedbackView(plan, loop, OperatorRun(self.bridge, loop), lambda: setattr(self, "session", None))
        show_beside(self.session, self)

    def renew_baseline(self) -> None:
        """Begin half a minute of rest for a new baseline; once it is ready, use it."""
        if self.bridge.state is not None:
            self.bridge.renew_baseline(self.bridge.state.baseline.next)

    def keep_baseline(self) -> None:
        """Keep the present baseline."""
        self.bridge.renew_baseline("keep")

    def toggle_record(self) -> None:
        """Begin or end a recording."""
        if self.top.record.isEnabled():
            self.bridge.record(None if self.bridge.request.record else self.flows.recordings)

    def open_report(self) -> None:
        """Write the report of the newest recording, and open it in the browser."""
        if self.top.report.isEnabled():
            self.reports.write()

    # -- views -------------------------------------------------------------------------------------------

    def toggle_subject(self) -> None:
        """Show or close the subject view."""
        self.subject.close() if self.subject.isVisible() else self.subject.open(self)

    def toggle_theme(self) -> None:
        self._use_theme("dark" if theme.current() == "light" else "light")
        self.memory.setValue("window/theme", theme.current())

    def _follow(self) -> None:
        """Follow the desktop's light or dark theme, unless one was chosen here."""
        if self.memory.value("window/theme") is None:
            self._use_theme(theme.system())

    def _use_theme(self, name: theme.Theme) -> None:
        theme.use(name)
        self.setStyleSheet(theme.style())
        theme.retheme(self)
        theme.retheme(self.subject)

    def show_operator(self) -> None:
        self.panels.show_preset("operator")

    def show_demo(self) -> None:
        self.panels.show_preset("demo")

    def toggle_full_screen(self) -> None:
        toggle_full(self)

    def show_shortcuts(self) -> None:
        KeysDialog(self).open()

    # -- keys and closing ---------------------------------------------------------------------------------------

    def keyPressEvent(self, event):
        """Keys 1 to 9 set a marker; typed in the source field they do not arrive here."""
        if event.text() in MARK_KEYS and not event.isAutoRepeat():
            self.bridge.mark(f"key {event.text()}")
        else:
            super().keyPressEvent(event)

    def _once_idle(self, then: Callable[[], None]) -> None:
        """Call `then` as soon as no run is active."""
        if self.bridge.is_running:
            self._then = then
            self.bridge.stop()
        else:
            then()

    def closeEvent(self, event):
        if event.spontaneous() and not (self._may_end_session() and self._may_end_calibration()):  # not by Ctrl-C
            event.ignore()
            return
        self._closing = True
        for other in (self.calibration, self.session, self.sources, self.subject):
            if other is not None:
                other.close()
        if self.bridge.is_running:
            self.bridge.stop()
            event.ignore()
            return
        self.reports.wait()
        self.bridge.close()
        self.panels.remember()
        event.accept()

    def _gone(self) -> None:
        then, self._then = self._then, None
        if self._closing:
            self.close()
        elif then is not None:
            then()
