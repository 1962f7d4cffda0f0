"""The language of all text that people read: English, or a translation in this folder, by gettext.

Texts are written in English where they are used, and marked there. ``_("Start")`` is translated when it runs, so it
must not run while a module is loaded: tables of a module are marked with ``N_`` and translated where they are shown.
``_("{n} of {all}", n=1, all=3)`` also fills in values; numbers get the decimal sign of the language.
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


class _Filler(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        return number(value, format_spec) if isinstance(value, int | float) else format(value, format_spec)


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
