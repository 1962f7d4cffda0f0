"""The language of everything a person reads: English, or a translation from this folder, by gettext.

Texts are written in English where they are used, and marked there. ``_("Start")`` is translated when it runs, so it
must not run while a module is loaded: a table of a module marks its texts with ``N_`` and translates them when they are
shown. ``make messages`` collects what is marked into `realtime_mood.pot` and brings the translations up to date.
"""

from __future__ import annotations

import gettext
import os
from importlib.resources import files
from pathlib import Path

DOMAIN = "realtime_mood"
NAMES = {"en": "English", "de": "Deutsch"}
"""The languages there are, each by its own name."""
_translations: list[gettext.NullTranslations] = [gettext.NullTranslations()]
_language = ["en"]


def use(language: str | None) -> str:
    """Choose a language by its code; by the locale of the system when None, or English. Returns the code in use."""
    wanted = [language] if language else _of_system()
    code = next((it.split("_")[0] for it in wanted if it.split("_")[0] in NAMES), "en")
    _language[:] = [code]
    _translations[:] = [gettext.translation(DOMAIN, _folder(), [code], fallback=True)]
    return code


def current() -> str:
    """The code of the language in use."""
    return _language[0]


def _(text: str) -> str:
    """`text`, which stands in the program in English, in the language in use."""
    return _translations[0].gettext(text) if text else ""


def N_(text: str) -> str:
    """`text` as it is; marks it for translation where it is shown."""
    return text


def ngettext(one: str, several: str, n: int) -> str:
    """The text for `n` of something."""
    return _translations[0].ngettext(one, several, n)


def _of_system() -> list[str]:
    """What the environment asks for, as gettext reads it."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return [part.split(".")[0].split("@")[0] for part in value.split(":")]
    return []


def _folder() -> Path:
    return Path(str(files(__package__)))
