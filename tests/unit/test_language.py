"""The language of texts: by code, by locale, and English where there is no other."""

from __future__ import annotations

import pytest

from realtime_mood import language

pytestmark = pytest.mark.usefixtures("use_language")  # English again afterwards


@pytest.mark.usefixtures("english_errors")
@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("LANG", "de_AT.UTF-8", "de"), ("LANG", "C.UTF-8", "en"), ("LANGUAGE", "xx:de", "de"),
        ("LC_ALL", "en_GB", "en"), ("LANG", "", "en"),
    ],
)  # fmt: skip
def test_the_locale_chooses(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: str) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert language.use(None) == code == language.current()


def test_an_unknown_language_is_english_and_text_that_has_no_translation_stays() -> None:
    assert language.use("xx") == "en"
    assert language.use("de") == "de"
    assert language._("a text that nobody has translated") == "a text that nobody has translated"
    assert language._("") == ""  # gettext keeps its header there


def test_values_are_filled_in_with_the_decimal_sign_of_the_language() -> None:
    text = "{seconds:.1f} s of {n:,} {name}"
    assert language._(text, seconds=2.5, n=1234, name="a.b") == "2.5 s of 1,234 a.b"
    assert language.ngettext("{n} of {m:g}", "{n} of {m:g}", 2, n=2, m=0.5) == "2 of 0.5"
    assert language._("{braces} stay") == "{braces} stay"
    language.use("de")
    assert language._(text, seconds=2.5, n=1234, name="a.b") == "2,5 s of 1.234 a.b"
    assert language.number(0.25, ".2f") == "0,25"
