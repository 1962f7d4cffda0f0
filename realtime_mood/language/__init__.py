"""The language of all text that people read: English, or a translation in this folder, by gettext.

Texts are written in English where they are used, and marked there. ``_("Start")`` is translated when it runs, so it
must not run while a module is loaded: tables of a module are marked with ``N_`` and translated where they are shown.
``_("{n} of {all}", n=1, all=3)`` also fills in values; numbers get the decimal sign of the language. A `Phrase` is such
a text that stays English, as for JSON, until it is translated where it is shown.
``make messages`` collects the marked texts into `realtime_mood.pot`, updates the translations and compiles them.
"""

from __future__ import annotations

import gettext
import os
import sys
from importlib.resources import files
from string import Formatter
from typing import Any

NAMES = {"en": "English", "de": "Deutsch"}  # the available languages, each by its own name
_translations: list[gettext.NullTranslations] = [gettext.NullTranslations()]
_language = ["en"]
_DECIMAL_COMMA = {"de": str.maketrans(".,", ",.")}


class _EnglishFiller(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, list):
            return ", ".join(self.format_field(one, format_spec) for one in value)
        return format(value, format_spec)


class _Filler(_EnglishFiller):
    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, int | float):
            return number(value, format_spec)
        return super().format_field(translated(value) if isinstance(value, str) else value, format_spec)


class Phrase(str):
    """An English text with its values filled in, which remembers both, so that it can be translated where it is shown.

    The first argument is collected for translation. Values may be phrases, and lists of them, which are joined by
    commas. Formatting into another text yields plain English: give a phrase to another one as a value instead.
    """

    __slots__ = ("_template", "_values")
    _template: str
    _values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Phrase:
        made = super().__new__(cls, _EnglishFiller().vformat(template, (), values) if values else template)
        made._template, made._values = template, values
        return made

    def translated(self) -> str:
        """The text in the language in use."""
        return _(self._template, **self._values)


def use(language: str | None) -> str:
    """Choose a language by its code, or that of the system's locale when None; English if there is no translation.

    Returns the code in use.
    """
    wanted = [language] if language else _of_system()
    code = next((short for name in wanted if (short := name.split("_")[0]) in NAMES), "en")
    _language[:] = [code]
    _translations[:] = [gettext.translation("realtime_mood", str(files(__package__)), [code], fallback=True)]
    return code


def current() -> str:
    """The code of the language in use."""
    return _language[0]


def _(text: str, /, **values: object) -> str:
    """`text` in the language in use, with `values` filled in."""
    return _fill(_translations[0].gettext(text), values) if text else ""


def N_(text: str) -> str:
    """`text` itself; marks it for translation where it is shown."""
    return text


def ngettext(one: str, several: str, n: int, /, **values: object) -> str:
    """The singular or plural text for `n`, in the language in use, with `values` filled in."""
    return _fill(_translations[0].ngettext(one, several, n), values)


def translated(text: str) -> str:
    """A phrase in the language in use; any other text as it is."""
    return text.translated() if isinstance(text, Phrase) else text


def number(value: float, spec: str) -> str:
    """A number in the given format, with the decimal sign of the language in use."""
    return format(value, spec).translate(_DECIMAL_COMMA.get(current(), {}))


def _fill(text: str, values: dict[str, object]) -> str:
    return _Filler().vformat(text, (), values) if values else text


def _of_system() -> list[str]:
    """The languages of the environment, in gettext's order; on Windows that of the user's interface."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return [part.split(".")[0].split("@")[0] for part in value.split(":")]
    if sys.platform == "win32":
        import ctypes
        import locale

        return [locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "en")]
    return []
