"""The dialog of settings: what the window's runs are computed with, and its language."""

from __future__ import annotations

from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtWidgets import QComboBox, QDialog, QFormLayout, QWidget

from ..errors import MoodError
from ..language import N_, NAMES, _, current
from ..viewmodel.setups import Setups
from ..viewmodel.words import StyledText
from .controls import Text
from .labels import STRETCH, PlainLabel, button, column, named, row

LABELS = {
    "weights": N_("Network"), "device": N_("Computed on"), "notch": N_("Mains filter"), "repair": N_("Blinks"),
}  # fmt: skip
VALUES = {
    ("device", "auto"): N_("chosen automatically"), ("notch", "auto"): N_("detected automatically"),
    ("repair", "none"): N_("left as they are"), ("repair", "eog"): N_("subtracted, by frontal electrodes"),
}  # fmt: skip
UNITS = {"cpu": "CPU", "cuda": "GPU (CUDA)", "50": "50 Hz", "60": "60 Hz"}


class SettingsDialog(QDialog):
    """Shows the options in use, and remembers what is chosen."""

    def __init__(self, parent: QWidget, setups: Setups, memory: QSettings) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        self._setups, self._memory, self.boxes = setups, memory, dict[str, QComboBox]()
        form, self.message = QFormLayout(), Text(wrap=True)
        in_use = setups.settings
        for key, values in setups.choices.items():
            box = self.boxes[key] = named(QComboBox(), _(LABELS[key]))
            for value in dict.fromkeys((*values, in_use[key])):
                box.addItem(_(VALUES[key, value]) if (key, value) in VALUES else UNITS.get(value, value), value)
            box.setCurrentIndex(box.findData(in_use[key]))
            form.addRow(_(LABELS[key]), box)
        self.language = named(QComboBox(), _("Language"))
        for code, name in NAMES.items():
            self.language.addItem(name, code)
        self._code = str(memory.value("window/language") or current())
        self.language.setCurrentIndex(self.language.findData(self._code))
        form.addRow(_("Language"), self.language)
        about = _("Used from the next start of a run, the language from the next start of the program. Options of the "
                  "command line and of a setup take precedence.")  # fmt: skip
        self.save, self.cancel = button(_("Save")), button(_("Cancel"), "plain")
        self.cancel.setAutoDefault(False)
        buttons = row(STRETCH, self.cancel, self.save)
        items = form, PlainLabel(about, "dim", wrap=True), self.message, buttons
        column(*items, on=self, margins=(18, 16, 18, 14), spacing=12)
        self.save.clicked.connect(self._accept)
        self.cancel.clicked.connect(self.reject)

    def _accept(self) -> None:
        in_use = self._setups.settings
        chosen = {key: str(box.currentData()) for key, box in self.boxes.items()}
        try:
            self._setups.change({key: value for key, value in chosen.items() if value != in_use[key]})
        except (MoodError, OSError) as error:
            self.message.say(StyledText(str(error), "bad"))
            return
        if self.language.currentData() != self._code:
            self._memory.setValue("window/language", self.language.currentData())
        self.accept()
