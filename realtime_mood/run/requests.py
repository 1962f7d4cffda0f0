"""What a user may ask of a run that is under way: the base of `Engine`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from ..baseline import BaselineRequest
from ..contracts import Joining
from ..health import RecordingState
from ..pipeline import BASELINE, CORRECTION, LEFT_OUT, Pipeline
from ..profile import Profile
from ..ring import RingBuffer
from ..types import Marker, Reading
from .acquisition import Acquisition
from .delivery import Delivery
from .joining import Succession
from .processing import Processing

UNREAD_S = 0.5  # windows that end later than this from now have not been read yet


class RunRequests:
    """Requests of the user; each is safe from any thread but the run's own."""

    _acquisition: Acquisition
    _processing: Processing
    _delivery: Delivery

    @property
    def latest(self) -> Reading | None:
        return self._processing.latest

    @property
    def raw(self) -> RingBuffer | None:
        """The unfiltered signal of the last minute; None before the source is open."""
        return self._acquisition.raw

    def begin_recording(self, tap: Joining, timeout: float = 5.0) -> bool:
        """Record from half a minute ago on, and go on with the run; False where there is no live signal.

        Called from any thread but the run's. It builds a pipeline, and returns once that has taken over.
        """
        raw, taken = self.raw, self._acquisition.taken
        if raw is None or not raw.info.paced or not taken or self._processing.pipeline is None:
            return False
        succession = Succession.begin(self._acquisition.build(raw.info), raw, taken, tap)
        self._processing.successions.append(succession)
        return succession.done.wait(timeout)

    def end_recording(self) -> RecordingState | None:
        """Complete the recording that was requested, and go on with the run; return its last state."""
        return self._delivery.end_recording()

    def leave_out(self, names: Collection[str]) -> bool:
        """Exclude exactly these electrodes from just after now on; False while there is no signal.

        A marker records the exact sample, so that a replay does the same.
        """
        return self._request(
            lambda pipeline, after: pipeline.leave_out(names, after), LEFT_OUT + ",".join(sorted(names))
        )

    def renew_baseline(self, what: BaselineRequest) -> bool:
        """Request a step of a renewal of the subject's baseline; False without a signal or a profile.

        ``rest`` begins to collect half a minute of rest, ``use`` takes the new baseline, ``keep`` leaves the present
        one. A marker records the exact sample, as for `leave_out`.
        """
        if self.profile is None:
            return False
        text = BASELINE + what
        return self._request(lambda pipeline, after: pipeline.request(text, after), text)

    def correct(self, label: str) -> bool:
        """Label the last seconds: "now I was `label`"; False without a signal, or where the readout has no such label.

        The readings' `corrections` say what became of it; a marker records the exact sample, as for `leave_out`.
        """
        latest = self.latest
        if latest is None or label not in latest.readout.labels:
            return False
        text = CORRECTION + label
        return self._request(lambda pipeline, after: pipeline.request(text, after), text)

    @property
    def profile(self) -> Profile | None:
        """The subject's profile, with the baseline and the classifier as changed in this run; None without one."""
        return pipeline.profile if (pipeline := self._processing.pipeline) else None

    def save_profile(self, path: Path) -> bool:
        """Write the profile as changed in this run over the one at `path`; False where there is no change.

        Raises `ProfileError` where that one cannot be read, `OSError` where it cannot be written.
        """
        profile = self.profile
        if profile is None or profile.history == Profile.load(path).history:
            return False
        profile.save(path)
        return True

    def _request(self, carry_out: Callable[[Pipeline, int], None], text: str) -> bool:
        """Change how windows are read from a sample soon after the newest, and mark that sample with `text`."""
        raw, pipeline = self.raw, self._processing.pipeline
        if raw is None or pipeline is None or not raw.end:
            return False
        sfreq, hop_s = raw.info.sfreq, pipeline.spec.hop_s
        hop = int((raw.end / sfreq + UNREAD_S) / hop_s)
        after = round((hop + 0.5) * hop_s * sfreq)  # between two readings, where a sample more or less does not matter
        carry_out(pipeline, after)
        newest = raw.latest(1)
        self._acquisition.mark(Marker(after, text), newest.t_last + (after - newest.first) / sfreq)
        return True

    def mark(self, text: str, t: float | None = None) -> bool:
        """Put a marker on the sample taken at `t` (s, our clock), or on the newest; False where there is none yet."""
        raw = self.raw
        if raw is None or not raw.end:
            return False
        newest = raw.latest(1)
        at = newest.t_last if t is None else t
        index = newest.first + round((at - newest.t_last) * raw.info.sfreq)
        if index >= 0:  # else it happened before the signal began
            self._acquisition.mark(Marker(index, text), at)
        return index >= 0
