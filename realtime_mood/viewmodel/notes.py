"""Notes of a run in the language of the window. They are made, recorded and logged in English; a rare one stays so."""

from __future__ import annotations

import re
from functools import cache
from string import Formatter

from ..language import N_, _, number

NOTES = (
    N_("not recording: the disk is full · free some space to resume recording"),
    N_("not recording: the disk is too slow · record to a faster one"),
    N_("this run is not recorded automatically: {error}"),
    N_("not recording: the disk is read-only · record to another one"),
    N_("not recording: the folder is not writable · record to another one"),
    N_("not recording: the file is as large as the system allows · record to another disk"),
    N_("not recording: the file is deleted or moved · a new file is started; do not move it while recording"),
    N_("{n} samples are missing from the recording: the disk was full"),
    N_("{n} samples are missing from the recording: the disk was too slow"),
    N_("the disk does not respond: the end of the recording may be missing · try recover"),
    N_("the network's output was not a number; no estimate is shown"),
    N_("{device} failed ({error}): the network now runs on the CPU"),
    N_("readout {name} is not shown to work on held-out subjects of {data_set}"),
    N_("a reading failed: {error}"),
    N_("the pipeline failed and was rebuilt: {error}"),
    N_("readings stopped, the stream and its recording continue: {error}"),
    N_("{n} samples were never filtered"),
    N_("other computers can receive readings: {options}"),
    N_("LSL looks for streams beyond this computer: {option}"),
    N_("{problem} · the run goes on without it"),
    N_("{problem} · readings rest on the EEG alone"),
    N_("{stream}: recorded and shown; the weights were trained without eye movements"),
    N_("{stream}: its gaze is taken as a share of a screen of {width} × {height} degrees"),
    N_("{stream}: eye movements take part in readings"),
    N_("{stream}: its stamps are on another clock · they are shifted to the time of arrival"),
    N_("{stream}: its stamps run backwards · they are recorded as sent; correct its sender"),
    N_("{stream}: {n} came before the signal and were left out"),
    N_("{stream}: now from {sender}, another stream than before"),
    N_("{stream}: {n} streams answer, using {one}; choose one: {urls}"),
    N_("{stream}: came back after {seconds} s, {n} samples lost"),
    N_("{stream}: came back after {seconds} s, nothing lost"),
    N_("{stream}: its clock went back by {seconds} s while it was away"),
    N_("not the lost stream: {error}"),
    N_("left out as not EEG: {names}"),
    N_("announces {announced} Hz, sends {measured} Hz: read as {used}"),
    N_("its channels have different references: {names}"),
    N_("{part}: takes {took} ms of the {all} ms between readings: some are skipped"),
    N_("repair of the signal: {repair}; the network was trained with: {trained}"),
    N_("repair of the signal: {repair}"),
    N_("{part} did not close in time and was left behind"),
    N_("display {name} failed, a circle is shown: {error}"),
    N_("{part} failed and was started again: {error}"),
    N_("{part} failed {n} times and was removed: {error}"),
    N_("{part} failed: {error}"),
)
"""Specific ones first."""


def translated(note: str) -> str:
    """A note, or the trouble of a recording or an output, in the language in use."""
    for template in NOTES:
        if found := _pattern(template).fullmatch(note):
            return _(template, **{name: _value(text) for name, text in found.groupdict().items()})
    return note


@cache
def _pattern(template: str) -> re.Pattern[str]:
    pieces = ((re.escape(text), name) for text, name, _spec, _kind in Formatter().parse(template))
    return re.compile("".join(text + (f"(?P<{name}>.+?)" if name else "") for text, name in pieces), re.DOTALL)


def _value(text: str) -> str:
    """A number with the decimal sign of the language; other text as it is."""
    if re.fullmatch(r"\d+\.\d+|\d{1,3}(,\d{3})+", text):
        return number(float(text.replace(",", "")), f",.{len(text.partition('.')[2])}f")
    return text
