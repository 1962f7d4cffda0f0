"""The list of devices: what is there is in it, and every URL in it can be pasted."""

from __future__ import annotations

import json
import shlex
import uuid

import pylsl
from waiting import until

from realtime_mood.errors import ConfigError
from realtime_mood.plugins import read_options, split
from realtime_mood.sources import open_source
from realtime_mood.sources.devices import all_boards, as_object, listing, streams
from realtime_mood.sources.lsl.info import LslOptions, is_chosen


def test_a_stream_is_listed_with_a_url_that_opens_it() -> None:
    name = f"amp é/?& {uuid.uuid4().hex[:8]}"
    told = pylsl.StreamInfo(name, "EEG", 2, 250.0, "float32", f"{name} 7")
    outlet = pylsl.StreamOutlet(told)
    markers = pylsl.StreamOutlet(pylsl.StreamInfo(f"{name} m", "Markers", 1, 0.0, "string", ""))
    until(lambda: name in [device.name for device in streams(0.8)])
    (device, *_) = streams(0.8)
    assert (device.n_chans, device.sfreq, device.type) == (2, 250.0, "EEG")
    assert json.loads(json.dumps(as_object(device)))["url"] == device.url
    stream = open_source(device.url + "&channels=C3,C4&units=uV").open()
    assert stream.info.name == name
    stream.close()
    assert any(shlex.split(line)[-1] == device.url for line in listing(0.8) if name in line)
    del outlet, markers


def test_every_board_is_listed_with_a_url_that_is_understood() -> None:
    found = all_boards()
    assert len(found) > 50
    for device in found:
        try:
            open_source(device.url)
        except ConfigError as error:
            raise AssertionError(device.url) from error
    cyton = next(device for device in found if device.name == "Cyton")
    assert cyton.url.startswith("brainflow://cyton?serial_port=")
    assert cyton.n_chans == len(cyton.ch_names) == 8
    galea = next(device for device in found if device.name == "Galea")
    assert galea.url.endswith("?drop=X1,X2,X3,X4,X5,X6")


def test_streams_of_one_name_are_listed_with_urls_that_mean_exactly_them() -> None:
    name = f"twin-{uuid.uuid4().hex[:8]}"
    ids = ("a", "b", "same", "same", "")
    outlets = [pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 2, 250.0, "float32", it)) for it in ids]
    until(lambda: [it.name for it in streams(0.8)].count(name) == len(ids), 10)
    found = [device for device in streams(0.8) if device.name == name]
    assert len({device.url for device in found}) == len(ids)
    for device in found:
        scheme, target, query = split(device.url)
        options = read_options(LslOptions, device.url, query)
        there = pylsl.resolve_byprop("name", name, len(ids), 5.0)
        (one,) = [it for it in there if is_chosen(it, target, options)]
        assert (scheme, one.source_id()) == ("lsl", device.source_id)
        # An outlet is named by its uid only where nothing else would do: that does not outlast the sender.
        assert ("uid=" in device.url) == (device.source_id in ("same", ""))
    stream = open_source(found[-1].url + "&channels=C3,C4&units=uV").open()
    stream.close()
    del outlets
