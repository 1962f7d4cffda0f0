"""LSL streams beside the EEG: finds one by its URL, whenever it appears, and again after it was lost."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from xml.etree import ElementTree

from ... import clock, liblsl
from ...auxiliary import STRING, AuxInfo
from ...errors import ConfigError, SourceNotFound, StreamMismatch
from ...guard import Report, to_log
from ...plugins import read_options, split
from ..marker_words import is_marker_type
from ..recordings.xdf_chunks import SIZES
from ..timing.rate import real_rate
from ..units import is_known_unit
from .aux_stream import MOST_BYTES_S, LslAuxStream
from .info import MOST_CHANS, LslOptions, channels_of, described, is_chosen, is_virtual, urls_of
from .stream import ANSWER_S, Inlet, listen

LOOK_S = 0.1  # interval (s) of looks at the network while the stream is not there
WATCH_S = 0.5  # the same while it is open, for others that the URL selects too
OPEN_S = 2.0  # how long an announced stream may take to answer, its clock included (s)
FORGET_S = 2.0  # how long a silent stream is still assumed to exist (s)
LOYAL_S = 3.0  # how long to wait for an ended stream before switching to another that existed beside it (s)
BATCH_S = 0.1  # a pull waits for this much signal (s)
MOST_ROWS = 1024  # of one pull, where the rate does not say
LONGEST_DESC = 1 << 20  # characters of a sender's description that are kept
FORMATS = ("", "float32", "double64", STRING, "int32", "int16", "int8", "int64")  # by their number in LSL


class LslAux:
    """The stream that `url` selects: ``lsl://NAME?type=…&source_id=…&host=…&uid=…``, with a name or an option.

    With `in_markers` it has to be irregular, and without a name it is any stream of markers. Of several matching
    streams the one used last is kept. It reports a choice among several, and another stream in place of one that
    ended. Raises `ConfigError` for another URL.
    """

    def __init__(self, url: str, *, in_markers: bool = False) -> None:
        scheme, self._name, query = split(url)
        asked = f"{'markers' if in_markers else 'also'} {url!r}"
        if scheme != "lsl":
            raise ConfigError(asked, "not a stream of the network", "write lsl://NAME")
        self.url, self.in_markers, self._options = url, in_markers, read_options(LslOptions, url, query)
        if not (in_markers or self._name or query):
            raise ConfigError(asked, "any stream would do", "write lsl://NAME, or lsl://?type=TYPE")
        self.report: Report = to_log
        self._resolver: Any = None
        self._tries: Counter[str] = Counter()
        self._used: tuple[str, ...] = ()  # the stream used last
        self._others: set[str] = set()  # that existed beside it, by uid
        self._was_open, self._ended = False, -math.inf
        self._asked = math.inf  # when it was looked for first (s, our clock)
        self._watched = 0.0

    def open(self, off: threading.Event) -> LslAuxStream:
        """As in `AuxSource`."""
        if self._resolver is None:
            self._resolver, self._tries = liblsl.pylsl().ContinuousResolver(forget_after=FORGET_S), Counter()
        self._asked = min(self._asked, clock.now())
        if self._was_open:
            self._was_open, self._ended = False, clock.now()
        off.wait(LOOK_S)
        there = self._resolver.results()
        # A stream that is gone is still listed for a while, and one that returns has another uid.
        meant = self._meant(there)
        if clock.now() - self._ended < LOYAL_S:
            meant = [info for info in meant if info.uid() not in self._others]
        if not meant:
            shown = "; ".join(map(described, there[:10])) or "no stream at all"
            raise SourceNotFound(self.url, f"the network shows {shown}", "start it, or correct the name")
        found = min(meant, key=lambda info: (self._tries[info.uid()], _identity(info) != self._used, info.uid()))
        self._tries[found.uid()] += 1
        sfreq = self._usable(found)
        try:
            inlet = Inlet(found, sfreq or 1.0, OPEN_S, off, least_s=BATCH_S, most=MOST_ROWS, raw=True)
        except SourceNotFound:
            problem = f"announced but does not answer: {described(found)}"
            raise SourceNotFound(self.url, problem, "restart its sender, check the firewall") from None
        try:
            stream = self._opened(found, inlet, sfreq, off)
        except BaseException:
            inlet.close()
            raise
        self._was_open = True
        before, self._used = self._used, _identity(found)
        if before and before != self._used:
            self.report(f"{self.url}: now from {described(found, with_host=True)}, another stream than before")
        return stream

    def close(self) -> None:
        """As in `AuxSource`."""
        self._resolver = None

    def _meant(self, there: Sequence[Any]) -> list[Any]:
        named = [info for info in there if is_chosen(info, self._name, self._options)]
        if not self.in_markers:
            return named
        irregular = [info for info in named if info.nominal_srate() == 0]
        markers = [info for info in irregular if is_marker_type(info.type())]
        return markers if markers or not (self._name or self._options.type) else irregular

    def _usable(self, found: Any) -> float:
        """The nominal rate (Hz) of a stream that can be recorded."""
        sfreq, n_chans, form = float(found.nominal_srate()), found.channel_count(), FORMATS[found.channel_format()]
        if not form or n_chans > MOST_CHANS or n_chans * sfreq * SIZES.get(form, 1) > MOST_BYTES_S:
            do = f"up to {MOST_CHANS} channels and {MOST_BYTES_S // 1_000_000} MB a second can be recorded"
            raise StreamMismatch(self.url, f"too large, or of no known format: {described(found)}", do)
        return 0.0 if form == STRING else sfreq  # text says nothing about lost samples

    def _opened(self, found: Any, inlet: Inlet, sfreq: float, off: threading.Event) -> LslAuxStream:
        """Interpret the stream's metadata, and measure its rate."""
        pulls, rate = listen(inlet, off, measure=sfreq > 0, least=0)
        real, odd = real_rate(sfreq, rate) if sfreq else (0.0, "")
        n_chans, desc = inlet.full.channel_count(), _desc(inlet.full)
        channels = (channels_of(inlet.full) + [("", "", "")] * n_chans)[:n_chans]
        info = AuxInfo(
            self.url,
            found.name(),
            found.type(),
            tuple(label for label, _, _ in channels),
            tuple(unit for _, unit, _ in channels),
            float(found.nominal_srate()),
            FORMATS[found.channel_format()],
            found.source_id(),
            found.hostname(),
            self.in_markers,
            virtual=is_virtual(inlet.full),
            desc=desc,
            notes=tuple(f"{self.url}: {note}" for note in (odd, *self._notes(inlet, channels)) if note),
        )
        return LslAuxStream(inlet, info, real, pulls, partial(self._look, found), self.report)

    def _notes(self, inlet: Inlet, channels: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        """Notes on its units, and on its first samples where it was not there from the beginning."""
        if unknown := sorted({unit for _, unit, _ in channels if not is_known_unit(unit)}):
            shown = ", ".join(repr(unit[:40]) for unit in unknown[:5])
            yield f"its unit {shown} is not known · its values are recorded as sent; correct its sender's settings"
        if not self._used and (began := inlet.began(ANSWER_S)) is not None and began > self._asked:
            yield f"appeared during the run; its first {max(0.0, inlet.opened - began):.1f} s are not recorded"

    def _look(self, found: Any, silent: bool) -> bool:
        """Report others that the URL selects too; whether the open stream is silent and was started again."""
        now = clock.now()
        if now - self._watched < WATCH_S or self._resolver is None:
            return False
        self._watched = now
        others = [info for info in self._meant(self._resolver.results()) if not self._tries[info.uid()]]
        if silent and any(_identity(info) == _identity(found) and info.uid() not in self._others for info in others):
            return True
        if new := {info.uid() for info in others} - self._others:
            self._others |= new
            using, urls = described(found, with_host=True), urls_of(self.url, [found, *others])
            self.report(f"{self.url}: {len(others) + 1} streams answer, using {using}; choose one: {urls}")
        return False


def _identity(info: Any) -> tuple[str, ...]:
    return info.name(), info.type(), info.source_id(), info.hostname()


def _desc(full: Any) -> str:
    """The sender's own description, as XML; empty where it is damaged or too long."""
    try:
        desc = ElementTree.fromstring(full.as_xml()).find("desc")
    except ElementTree.ParseError:
        return ""
    text = "" if desc is None else ElementTree.tostring(desc, "unicode").strip()
    return text if len(text) <= LONGEST_DESC else ""
