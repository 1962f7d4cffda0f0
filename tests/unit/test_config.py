"""Precedence, and a plain word for every mistake."""

from __future__ import annotations

import pytest

from realtime_mood.config import resolve
from realtime_mood.errors import ConfigError


def test_command_line_over_environment_over_file_over_defaults(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('source = "lsl://file"\nnotch = "60"\nreadout = "effort"\n')
    environment = {"REALTIME_MOOD_SOURCE": "lsl://environment", "REALTIME_MOOD_NOTCH": "50", "REALTIME_MOOD_DATA": "x"}
    config = resolve({"source": "lsl://line", "notch": None}, file, environment)
    assert (config.source, config.notch, config.readout, config.view) == ("lsl://line", "50", "effort", "auto")


@pytest.mark.parametrize(
    ("text", "says"),
    [('colour = "red"', "colour"), ('notch = "55"', "55"), ("seconds = -1", "seconds"), ("source = ", "TOML")],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, says):
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says):
        resolve({}, file, {})


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        resolve({}, tmp_path / "none.toml", {})


def test_an_unknown_word_in_the_environment():
    with pytest.raises(ConfigError, match="weigths"):
        resolve({}, None, {"REALTIME_MOOD_WEIGTHS": "x"})
