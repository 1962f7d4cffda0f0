"""The details panel: tabs with the spectrum, the events, and the streams beside the EEG while there are any."""

from __future__ import annotations

from PyQt6.QtWidgets import QDockWidget, QTabWidget

from ..language import _
from .labels import named
from .spectrum_panel import EventLog, SpectrumPanel
from .streams import StreamsPanel


class Details(QTabWidget):
    """The tabs. The one of the streams is shown by itself the first time that there are some."""

    def __init__(self) -> None:
        super().__init__()
        self.spectrum, self.events, self.streams = SpectrumPanel(), EventLog(), StreamsPanel()
        self.setDocumentMode(True)
        named(self, _("details"))
        if (bar := self.tabBar()) is not None:
            named(bar, _("details"))
        for tab, title in ((self.spectrum, _("Spectrum")), (self.events, _("Events")), (self.streams, _("Streams"))):
            self.addTab(tab, title)
        self.setTabVisible(self.indexOf(self.streams), False)
        self._were_shown = False

    def show_presence(self, there: bool) -> None:
        """Show the tab of the streams, or hide it while there are none."""
        self.setTabVisible(self.indexOf(self.streams), there)
        if there and not self._were_shown:
            self._were_shown = True
            self.setCurrentWidget(self.streams)

    def toggle_streams(self) -> None:
        """Show the streams, or go back to the spectrum."""
        if not self.isTabVisible(self.indexOf(self.streams)):
            return
        back = self.currentWidget() is self.streams and self.streams.isVisible()
        self.setCurrentWidget(self.spectrum if back else self.streams)
        dock = self.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        if isinstance(dock, QDockWidget) and not back:
            dock.show()
            dock.raise_()
