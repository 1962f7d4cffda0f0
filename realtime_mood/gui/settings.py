"""The dialog of settings: how the window's runs are computed, where they send readings, and its language and size."""

from __future__ import annotations

import os

from PyQt6.QtCore import QSettings, QSize, Qt
from PyQt6.QtWidgets import QCheckBox, QComboBox, QDialog, QLineEdit, QWidget

from ..errors import MoodError
from ..language import N_, NAMES, _, current
from ..viewmodel.notes import translated
from ..viewmodel.setups import Setups
from ..viewmodel.words import StyledText, first_upper
from .controls import Text
from .labels import STRETCH, Form, PlainLabel, button, column, named, row
from .theme import SMALLEST

LABELS = {
    "weights": N_("Network"), "device": N_("Computed on"), "notch": N_("Mains filter"), "repair": N_("Blinks"),
    "lsl_out": N_("Readings by LSL"), "osc": N_("Readings by OSC"), "ws": N_("Readings to browsers"),
}  # fmt: skip
VALUES = {
    ("device", "auto"): N_("chosen automatically"), ("notch", "auto"): N_("detected automatically"),
    ("repair", "none"): N_("left as they are"), ("repair", "eog"): N_("subtracted, by frontal electrodes"),
}  # fmt: skip
UNITS = {"cpu": "CPU", "cuda": "GPU (CUDA)", "50": "50 Hz", "60": "60 Hz"}
EMPTY = {"osc": N_("none, or HOST:PORT"), "ws": N_("none, or PORT")}
LANGUAGE, SIZE = "window/language", "window/size"
SIZES = (100, 125, 150, 200)  # per cent


class SettingsDialog(QDialog):
    """Shows the options in use, and remembers what is chosen."""

    def __init__(self, parent: QWidget, setups: Setups, memory: QSettings) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._setups, self._memory, self._form = setups, memory, Form()
        self.boxes, self.addresses = dict[str, QComboBox](), dict[str, QLineEdit]()
        self.warning, self.message = Text(wrap=True), Text(wrap=True)
        in_use = setups.settings
        for key, values in setups.choices.items():
            options = dict.fromkeys((*values, str(in_use[key])))
            shown = {it: _(VALUES[key, it]) if (key, it) in VALUES else UNITS.get(it, it) for it in options}
            self.boxes[key] = self._choice(_(LABELS[key]), shown, in_use[key])
        self.lsl = QCheckBox(_("as a stream that other programs can read"))
        self.lsl.setChecked(bool(in_use["lsl_out"]))
        self._form.add(_(LABELS["lsl_out"]), self.lsl)
        for key, empty in EMPTY.items():
            edit = self.addresses[key] = named(QLineEdit(str(in_use[key])), _(LABELS[key]))
            edit.setPlaceholderText(_(empty))
            edit.textChanged.connect(self._warn)
            self._form.add(_(LABELS[key]), edit)
        self.lsl.toggled.connect(self._warn)
        self.language = self._choice(_("Language"), NAMES, memory.value(LANGUAGE) or current())
        sizes = {f"{n}": f"{n} %" for n in self._sizes()}
        self.text_size = self._choice(_("Size of texts"), sizes, memory.value(SIZE) or "100")
        about = _("Used from the next start of a run, language and size from the next start of the program. Options of "
                  "the command line and of a setup take precedence.")  # fmt: skip
        self.save, self.cancel = button(_("Save")), button(_("Cancel"), "plain")
        self.cancel.setAutoDefault(False)
        buttons = row(STRETCH, self.cancel, self.save)
        items = self._form, self.warning, PlainLabel(about, "dim", wrap=True), self.message, buttons
        column(*items, on=self, margins=(18, 16, 18, 14), spacing=12)
        self.save.clicked.connect(self._accept)
        self.cancel.clicked.connect(self.reject)
        self._warn()

    @property
    def chosen(self) -> dict[str, str | bool]:
        """The settings as they are in the dialog."""
        of_boxes = {key: str(box.currentData()) for key, box in self.boxes.items()}
        return {**of_boxes, "lsl_out": self.lsl.isChecked(),
                **{key: edit.text().strip() for key, edit in self.addresses.items()}}  # fmt: skip

    def _choice(self, name: str, shown: dict[str, str], value: object) -> QComboBox:
        box = named(QComboBox(), name)
        for data, text in shown.items():
            box.addItem(text, data)
        box.setCurrentIndex(max(0, box.findData(str(value))))
        self._form.add(name, box)
        return box

    def _sizes(self) -> list[int]:
        """The sizes (%) at which the window still fits the screen, and the one in use."""
        in_use, screen = str(self._memory.value(SIZE)), self.screen()
        room = screen.availableGeometry().size() * _factor() if screen is not None else QSize()

        def fits(n: int) -> bool:
            width, height = (n / 100 * px for px in SMALLEST)
            return n == SIZES[0] or str(n) == in_use or (width <= room.width() and height <= room.height())

        return list(filter(fits, SIZES))

    def _warn(self) -> None:
        notes = map(translated, self._setups.leaving(self.chosen))
        self.warning.say(StyledText("\n".join(map(first_upper, notes)), "warn"))
        self.warning.setVisible(bool(self.warning.text()))

    def _accept(self) -> None:
        in_use = self._setups.settings
        try:
            self._setups.change({key: value for key, value in self.chosen.items() if value != in_use[key]})
        except (MoodError, OSError) as error:
            self.message.say(StyledText(str(error), "bad"))
            return
        for key, box, before in ((LANGUAGE, self.language, current()), (SIZE, self.text_size, "100")):
            if box.currentData() != str(self._memory.value(key) or before):
                self._memory.setValue(key, box.currentData())
        self.accept()


def _factor() -> float:
    """How much larger than usual everything is in this run of the program."""
    try:
        return float(os.environ.get("QT_SCALE_FACTOR", "1"))
    except ValueError:  # Qt ignores it, too
        return 1.0
