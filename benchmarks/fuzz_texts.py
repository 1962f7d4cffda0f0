"""Fuzz targets for settings, URLs, profiles and our own recordings."""

from __future__ import annotations

import ctypes
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_mood import liblsl
from realtime_mood.cli.config import resolve
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.health import Health
from realtime_mood.profile import Profile, digest
from realtime_mood.recording.reader import open_recorded
from realtime_mood.recording.recorder import Recorder
from realtime_mood.recording.recover import recover
from realtime_mood.sources import open_source
from realtime_mood.sources.channels import check_count, choose_channels
from realtime_mood.sources.faults.script import FaultScript
from realtime_mood.sources.lsl.info import channels_of, described
from realtime_mood.sources.url import CommonOptions
from realtime_mood.types import Chunk, Marker, StreamInfo

NAMES = ("Fp1", "C3", "O2", "T8")
CONFIG = (
    b'source = "lsl://Muse?type=EEG"\nview = "json"\nseconds = 12.5\nnotch = "50"\nrecord = "a.xdf"\ngive_up = 30\n'
)
URLS = (
    b"synthetic://?subject=3&sfreq=256&n_chans=8&script=neutral:20,positive:20&difficulty=hard&faults=drop:0.1@3",
    b"lsl://NAME?type=EEG&source_id=abc&host=h&uid=u&timeout=2&channels=Fp1,Fp2&units=uV&sfreq=250",
    b"playback://a.edf?loop=1&start=2&stop=60&speed=max&drop=T3&stream=x&number=2&sfreq=250",
    b"brainflow://cyton?serial_port=/dev/ttyUSB0&config=x1060110X&timeout=3",
)
FAULTS = b"drop:0.01@10-20,freeze:6@30,kill:5@60,flat:Fp1:C3@10-40,step:-2@50,drift:200,random:7"


class Target(NamedTuple):
    """Something that reads what others wrote."""

    seeds: Callable[[], tuple[bytes, ...]]
    """Valid inputs."""
    use: Callable[[bytes], str]


def _config(content: bytes) -> str:
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        path = Path(folder) / "c.toml"
        path.write_bytes(content)
        resolve({}, path, {})
    return "played"


@cache
def _profile() -> bytes:
    de = np.random.default_rng(0).normal(2, 0.3, (30, 4, 5))
    made = Profile.from_steps(StreamInfo(NAMES, 250.0), FeatureSpec(), de, np.ones((30, 4), bool))
    body = made.stored()
    return json.dumps({"sha256": digest(body), **body}).encode()


def _load_profile(content: bytes) -> str:
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        path = Path(folder) / "p.json"
        path.write_bytes(content)
        Profile.load(path)
    return "played"


def _url(content: bytes) -> str:
    open_source(content.decode("latin-1"))
    return "played"


def _faults(content: bytes) -> str:
    FaultScript.parse(content.decode("latin-1"), NAMES)
    return "played"


@cache
def _recording() -> bytes:
    info = StreamInfo(NAMES, 250.0, "a", "linked ears")
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        recorder = Recorder(Path(folder) / "a.xdf", {"weights": "none"})
        recorder.open(info)
        rows = np.random.default_rng(0).normal(0, 20, (250, 4)).astype(np.float32)
        recorder.take(Chunk(rows, 0, 10.0, markers=(Marker(3, "begin"),)))
        recorder.take(Chunk(rows, 275, 11.1, lost=25))
        recorder.close(Health())
        return (Path(folder) / "a.xdf").read_bytes()


def _recorded(content: bytes) -> str:
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        path = Path(folder) / "a.xdf"
        path.write_bytes(content)
        for _ in open_recorded(path).chunks():
            pass
    return "played"


def _recover(content: bytes) -> str:
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        path = Path(folder) / "a.xdf"
        path.write_bytes(content)
        recover(path)
    return "played"


@cache
def _metadata() -> bytes:
    info = liblsl.pylsl().StreamInfo("a", "EEG", 4, 250.0, "float32", "id")
    channels = info.desc().append_child("channels")
    for name in NAMES:
        channel = channels.append_child("channel")
        for key, value in (("label", name), ("unit", "microvolts"), ("type", "EEG")):
            channel.append_child_value(key, value)
    return liblsl.pylsl().StreamOutlet(info).get_info().as_xml().encode()  # only one that is sent has all of it


def _describe(content: bytes) -> str:
    """A stream's own description, as it comes over the network."""
    from pylsl.lib import lib

    pylsl = liblsl.pylsl()
    lib.lsl_streaminfo_from_xml.restype = ctypes.c_void_p  # the wrapper has no use for it, and leaves it an int
    info = pylsl.StreamInfo(handle=lib.lsl_streaminfo_from_xml(ctypes.c_char_p(content)))
    described(info)
    if info.channel_count() <= 4096:  # more is refused before it is asked
        listed = check_count(channels_of(info), info.channel_count(), CommonOptions(), "a stream")
        labels, units, kinds = zip(*listed, strict=True) if listed else ((), (), ())
        choose_channels(labels, [kind == "EEG" for kind in kinds], CommonOptions(), "a stream", units=units)
    return "played"


TEXTS = {
    "config": Target(lambda: (CONFIG,), _config),
    "profile": Target(lambda: (_profile(),), _load_profile),
    "source URL": Target(lambda: URLS, _url),
    "fault script": Target(lambda: (FAULTS,), _faults),
    "LSL description": Target(lambda: (_metadata(),), _describe),
    "recording of ours": Target(lambda: (_recording(),), _recorded),
    "recover": Target(lambda: (_recording(),), _recover),
}
