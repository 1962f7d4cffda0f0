"""From a URL to a source, or to the one word of it that is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from realtime_mood.errors import ConfigError
from realtime_mood.sources import open_source


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("Fp1", "no scheme"),
        ("ftp://x", "no scheme ftp://"),
        ("playback://a.edf?sped=2", "sped='2'"),
        ("playback://a.edf?speed=0", "speed='0'"),
        ("playback://a.edf?start=-1", "start='-1'"),
        ("playback://a.edf?start=nan", "start='nan'"),
        ("playback://a.edf?loop=perhaps", "loop='perhaps'"),
        ("lsl://x?speed=2", "speed='2'"),
        ("lsl://x?timeout=0", "timeout='0'"),
        ("lsl://x?units=furlong", "units='furlong'"),
    ],
)
def test_a_wrong_word_is_named(url: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        open_source(url)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["playback://no/such.edf?speed=max&loop=1", "lsl://?type=EEG&timeout=1&units=µV"])
def test_a_source_knows_what_it_was_called(url: str) -> None:
    assert open_source(url).name == url


def test_device_libraries_load_only_when_a_source_is_opened() -> None:
    code = (
        "import sys; from realtime_mood.sources import open_source; open_source('playback://x.edf'); "
        "open_source('lsl://x'); sys.exit(bool({'mne', 'pylsl', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
