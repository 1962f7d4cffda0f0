"""The language of all text that people read: English, or a translation in this folder, by gettext.

Texts are written in English where they are used, and marked there. ``_("Start")`` is translated when it runs, so it
must not run while a module is loaded: tables of a module are marked with ``N_`` and translated where they are shown.
``make messages`` collects the marked texts into `realtime_mood.pot`, updates the translations and compiles them.
"""

from __future__ import annotations

import gettext
import os
import sys
from importlib.resources import files
from pathlib import Path

DOMAIN = "realtime_mood"
NAMES = {"en": "English", "de": "Deutsch"}
"""The available languages, each by its own name."""
_translations: list[gettext.NullTranslations] = [gettext.NullTranslations()]
_language = ["en"]


def use(language: str | None) -> str:
    """Choose a language by its code, or that of the system's locale when None; English if there is no translation.

    Returns the code in use.
    """
    wanted = [language] if language else _of_system()
    code = next((short for name in wanted if (short := name.split("_")[0]) in NAMES), "en")
    _language[:] = [code]
    _translations[:] = [gettext.translation(DOMAIN, _folder(), [code], fallback=True)]
    return code


def current() -> str:
    """The code of the language in use."""
    return _language[0]


def _(text: str) -> str:
    """`text` in the language in use."""
    return _translations[0].gettext(text) if text else ""


def N_(text: str) -> str:
    """`text` itself; marks it for translation where it is shown."""
    return text


def ngettext(one: str, several: str, n: int) -> str:
    """The singular or plural text for `n`, in the language in use."""
    return _translations[0].ngettext(one, several, n)


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


def _folder() -> Path:
    return Path(str(files(__package__)))
