"""Which streams are offered beside a source, and which are ticked by themselves."""

from __future__ import annotations

import socket

import pytest

from realtime_mood.sources.devices import Device
from realtime_mood.viewmodel.companions import companions, grouped


def stream(name: str, type_: str, source_id: str = "", host: str = "lab", sfreq: float = 100.0) -> Device:
    return Device("lsl", name, f"lsl://{name}?type={type_}&host={host}", (), 3, sfreq, type_, source_id, host)


MUSE = stream("Muse", "EEG", "Muse00:55")


def ticked(source: Device, *others: Device) -> dict[str, bool]:
    return {f"{one.title} {one.url.split('type=')[1]}": one.ticked for one in companions(source.url, (source, *others))}


@pytest.mark.parametrize(
    ("other", "is_ticked"),
    [
        (stream("Muse", "PPG", "Muse00:55"), True),
        (stream("Muse", "GYRO", "Muse00:55", host="tablet"), True),  # one device, by its source_id
        (stream("Muse-aux", "Misc"), True),  # by the beginning of its name
        (stream("pupil_capture", "Gaze"), True),  # of its host
        (stream("pupil_capture", "Gaze", host="other"), False),
        (stream("PsychoPy", "Markers", sfreq=0.0), True),
        (stream("PsychoPy", "Markers", host="other", sfreq=0.0), False),
        (stream("Audio", "Audio"), False),
        (stream("RealtimeMood-markers", "Markers", "realtime_mood_lab_x", sfreq=0.0), False),  # what a run sends
    ],
)
def test_what_belongs_to_a_device_or_its_subject_is_ticked(other, is_ticked):
    assert list(ticked(MUSE, other).values()) == [is_ticked]


def test_another_eeg_and_the_source_itself_are_not_offered_and_markers_are_known():
    task = stream("Task", "Markers", sfreq=0.0)
    offered = companions(MUSE.url, (MUSE, stream("Cap", "EEG"), task, stream("Trigger", "Markers")))
    assert [(one.title, one.is_marker) for one in offered] == [("Trigger", False), ("Task", True)]  # one is regular


def test_those_of_the_present_run_stay_and_what_was_done_by_hand_comes_first():
    gaze, ppg = stream("Gaze", "Gaze", host="other"), stream("Muse", "PPG", "Muse00:55")
    wanted = companions(MUSE.url, (MUSE, gaze, ppg), [gaze.url, "lsl://Later"], ["lsl://Keys"], {ppg.url: False})
    assert {(one.url, one.ticked, one.is_marker) for one in wanted} == {
        (gaze.url, True, False), (ppg.url, False, False), ("lsl://Later", True, False), ("lsl://Keys", True, True),
    }  # fmt: skip


def test_a_board_has_the_streams_of_this_computer():
    here = stream("Gaze", "Gaze", host=socket.gethostname())
    assert companions("brainflow://cyton?channels=C3", [here])[0].ticked
    assert not companions("playback://a.xdf", [here])[0].ticked


def test_streams_that_may_be_eeg_stand_under_their_host():
    found = [stream("B", "EEG", host="z"), stream("A", "", host="y"), stream("P", "PPG"), stream("M", "", sfreq=0.0)]
    assert [(choice.title, bool(choice.url)) for choice in grouped(found)] == [
        ("Streams from y", False), ("A", True), ("Streams from z", False), ("B", True),
    ]  # fmt: skip
