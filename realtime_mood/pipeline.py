"""Turns chunks into windows and windows into readings, with no threads, clocks or devices: the same online and offline.

Usage: ``[p.read(w) for c in chunks for w in p.push(c)]``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .contracts import BatchEstimator, Estimator, Learner
from .corrections import SPAN_S
from .dsp.artefacts import ShakenSamples, bounds_of, commonest, with_shaken, without_artefacts
from .dsp.features import Extractor
from .dsp.filters import NOTCH_HZ, Filters, Notch
from .dsp.gaps import GapFiller
from .dsp.slicer import Slicer
from .dsp.spec import FeatureSpec
from .entropy import Population, Statistics
from .errors import StreamMismatch
from .guard import words_of
from .modalities import EyeInput
from .profile import Profile
from .types import Chunk, Features, Mask, Reading, Readout, StreamInfo, Why, Window

MEMORY_S = 60.0
BATCH = 8  # windows read together where a stream has no pace, and recorded with them; more do not fit a core's cache
BASELINE = "baseline: "  # prefix of a marker with a request for a renewed baseline, carried out from its sample on
DRIFT = "drift: "  # prefix of a marker at the begin of a drift alarm: what has moved, and by how much
CORRECTION = "correction: "  # prefix of a marker at which the user labelled the seconds before it
LEFT_OUT = "left out: "  # prefix of a marker that lists the electrodes left out from its sample on
# recorded with the statistics; recordings without it are older, and learnt only from windows that were read
LEARNS = {"learns": "by stream time"}
ARTEFACTS = {"artefacts": "by hop"}  # likewise: recordings without it are older, and left no seconds out


class Pipeline:
    """Processing of one stream, from chunks to readings. `notch` is described in `Filters`.

    `notes` are for the user, on how its signal is processed.
    """

    def __init__(
        self,
        info: StreamInfo,
        spec: FeatureSpec,
        estimator: Estimator,
        notch: Notch = NOTCH_HZ,
        notes: tuple[str, ...] = (),
    ) -> None:
        spec.check(info.sfreq)
        self.info, self.spec, self._estimator, self._notes = info, spec, estimator, notes
        self._learner = estimator if isinstance(estimator, Learner) else None
        self._gaps = GapFiller(info.n_chans, round(spec.max_hole_s * info.sfreq))
        self._filters = Filters(spec, info.sfreq, info.n_chans, notch)
        self._slicer = Slicer(info, spec, self._filters, MEMORY_S)
        self.clean = self._slicer.clean  # the filtered signal of the last minute
        self._extract = Extractor(spec, info.sfreq)
        # from which sample on, and which channels; the newest entry counts
        self.left_out: list[tuple[int, frozenset[int]]] = []
        self._requests: list[tuple[int, str]] = []  # of the user: from which sample on, and the text of its marker
        self._begun: Mapping[str, Any] | None = None  # the state to go on from, until its sample is reached
        self.shaken: deque[ShakenSamples] = deque()  # oldest first
        self.marks_artefacts = True  # False to repeat recordings that are older
        self.eyes: Callable[[Window], EyeInput | None] | None = None  # the eye movements up to the end of a window
        self._recent: deque[Window] = deque(maxlen=round(SPAN_S / spec.step_s))  # one a step, to be labelled

    @property
    def readout(self) -> Readout:
        """Labels and scales of its readings."""
        return self._estimator.readout

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user on how it runs; there may be more later."""
        return (*self._notes, *self._estimator.notes)

    @property
    def eye_population(self) -> Population | None:
        """What eye movements are compared with at first; None where readings rest on the EEG alone."""
        return self._learner.eye_population if self._learner else None

    @property
    def normal(self) -> Features | None:
        """The newest features, in standard deviations of this subject."""
        return self._estimator.normal

    def leave_out(self, names: Collection[str], after: int) -> None:
        """Treat exactly these electrodes as excluded in every window that ends after sample `after`."""
        channels = frozenset(i for i, name in enumerate(self.info.ch_names) if name in names)
        self.left_out.append((after, channels))

    @property
    def profile(self) -> Profile | None:
        """The subject's profile, with the baseline as renewed in this run; None without one."""
        return self._learner.profile if self._learner else None

    def request(self, text: str, after: int) -> None:
        """Carry out a request of the user before the first window that ends after sample `after`.

        `text` is that of its marker: `BASELINE` and a `baseline.BaselineRequest`, or `CORRECTION` and a label.
        """
        self._requests.append((after, text))

    def take_over(self, other: Pipeline) -> None:
        """Go on with what the user chose for `other`, which has failed: electrodes left out, a renewed baseline."""
        self.left_out, self._requests, self.shaken = other.left_out, other._requests, other.shaken
        if self._learner and isinstance(other._learner, type(self._learner)):
            self._learner.take_over(other._learner)

    def begun(self, first: int, at: int) -> dict[str, Any]:
        """What another pipeline, fed from sample `first` on, needs to read as this one does after sample `at`."""
        left_out = next((channels for after, channels in reversed(self.left_out) if after <= at), frozenset())
        return {
            "first": first, "at": at, "left_out": [self.info.ch_names[i] for i in sorted(left_out)],
            "learner": self._learner.state() if self._learner else None,
            "recent": [
                {"end": it.end, "mean": it.statistics.mean.tolist(), "sd": it.statistics.sd.tolist()}
                for it in self._recent
                if it.statistics
            ],
        }  # fmt: skip

    def resume(self, begun: Mapping[str, Any]) -> None:
        """Read as the pipeline did that gave `begun`, once the sample is reached at which it did.

        Raises `KeyError`, `TypeError` or `ValueError` where that is not what `begun` gives.
        """
        self.leave_out([str(name) for name in begun["left_out"]], int(begun["first"]))
        if begun["learner"] is not None:
            self._begun = {**begun, "at": int(begun["at"])}

    def succeed(self, other: Pipeline, at: int) -> None:
        """Go on in place of `other`, which has read the same stream up to sample `at`, as it would have."""
        self._estimator, self._learner, self.eyes = other._estimator, other._learner, other.eyes
        self.left_out, self._requests, self.shaken = other.left_out, other._requests, other.shaken
        self._standardise_recent({it.end: it.statistics for it in other._recent if it.statistics})
        # for the screen; windows reach back much less than half of it
        self.clean.copy_older(other.clean, at - self.clean.capacity // 4)

    @property
    def notch_hz(self) -> tuple[float, ...]:
        """Line frequencies filtered out at present; all candidates while ``auto`` is undecided."""
        return self._filters.notch_hz

    def push(self, chunk: Chunk) -> list[Window]:
        """Filter, cut windows and update the statistics. Never skipped; independent of which windows are read."""
        windows: list[Window] = []
        self._slicer.add_impedances(chunk.impedances)
        for run in self._gaps(chunk):
            t_first = chunk.t_last - (chunk.end - 1 - run.first) / self.info.sfreq
            windows += self._slicer(run, t_first)
        windows = [self._marked(window) for window in windows] if self.marks_artefacts else windows
        if self.left_out:
            windows = [self._less(window) for window in windows]
        if self.eyes:
            windows = [replace(window, eye=self.eyes(window)) for window in windows]
        return [self._learnt(window, self._learner) for window in windows] if self._learner else windows

    def _learnt(self, window: Window, learner: Learner) -> Window:
        if self._begun and window.end > self._begun["at"]:
            self._go_on(self._begun, learner)
            self._begun = None
        while self._requests and self._requests[0][0] < window.end:
            _after, text = self._requests.pop(0)
            if self._begun is None:  # else what it has done is in the state
                self._carry_out(text, window, learner)
        statistics = learner.learn(self._extract.steps(window), window.end)
        learnt = replace(window, statistics=statistics, drift=learner.drift, corrections=learner.corrections)
        step = self.spec.step_s * self.info.sfreq
        if abs(window.end - round(window.end / step) * step) < 1:
            self._recent.append(learnt)
        return learnt

    def _go_on(self, begun: Mapping[str, Any], learner: Learner) -> None:
        """Go on from the state `begun` of another pipeline; raises `StreamMismatch` where it cannot be read."""
        try:
            learner.restore(begun["learner"])
            rows = begun.get("recent", ())  # older recordings do not have it
            self._standardise_recent({it["end"]: Statistics(np.array(it["mean"]), np.array(it["sd"])) for it in rows})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            found = f"the state at its beginning cannot be read: {words_of(error)}"
            raise StreamMismatch("a recording", found, "only its samples can be used") from error

    def _standardise_recent(self, by_end: Mapping[int, Statistics]) -> None:
        """Give the newest windows, which a correction may label, the statistics they were read with."""
        again = [replace(it, statistics=by_end.get(it.end, it.statistics)) for it in self._recent]
        self._recent = deque(again, self._recent.maxlen)

    def _carry_out(self, text: str, window: Window, learner: Learner) -> None:
        """A request that is valid from `window` on."""
        if text.startswith(BASELINE):
            learner.renew(text.removeprefix(BASELINE))
            return
        since = window.end - SPAN_S * self.info.sfreq
        items = [(self.features(it), it) for it in self._recent if it.end > since]
        usable = [(features, it) for features, it in items if self._reason(it, features) is None]
        learner.correct(text.removeprefix(CORRECTION), usable, (window.end - 0.5) / self.info.sfreq)

    def read(self, window: Window) -> Reading:
        """Features, normaliser, network. Expensive: the engine may skip it for a stale window."""
        features = self.features(window)
        return self._estimator(features, window, self._reason(window, features))

    @property
    def batches(self) -> bool:
        """Whether `read_many` computes windows together, and may be called from several threads, also beside `push`."""
        return isinstance(self._estimator, BatchEstimator) and self._estimator.batches

    def read_many(self, windows: Sequence[Window]) -> list[Reading]:
        """The readings of several windows, as `read` for each, within 1e-5: together, where `batches`."""
        items = [(it := self.features(window), window, self._reason(window, it)) for window in windows]
        if isinstance(self._estimator, BatchEstimator) and self.batches:
            return self._estimator.many(items)
        return [self._estimator(*item) for item in items]

    def features(self, window: Window) -> Features:
        """Only the features, for training and calibration."""
        return self._extract(window)

    def newest(self, window: Window) -> tuple[np.ndarray, np.ndarray, bool]:
        """DE and patch of the newest step only, as `Extractor.newest`: for training by the second."""
        return self._extract.newest(window)

    def _less(self, window: Window) -> Window:
        channels = next((left_out for after, left_out in reversed(self.left_out) if window.end > after), None)
        return replace(window, quality=window.quality.without(channels)) if channels else window

    def _marked(self, window: Window) -> Window:
        """The window without the hops that hold an artefact."""
        if window.artefacts is None and not self.shaken:
            return window
        bounds = bounds_of(window, self.spec, self.info.sfreq)
        while self.shaken and self.shaken[0].stop <= bounds[0]:
            self.shaken.popleft()
        none = np.zeros(len(window.counts), np.int8)
        codes = with_shaken(none if window.artefacts is None else window.artefacts, bounds, window.end, self.shaken)
        return without_artefacts(window, codes, bounds) if codes.any() else window

    def _reason(self, window: Window, features: Features) -> Why | None:
        """Why this window allows no estimate, regardless of the network; None when it does."""
        spec, sfreq = self.spec, self.info.sfreq
        context = round(spec.context_s * sfreq)
        if window.broken and window.end - window.broken < context:
            return Why.GAP
        if window.end - window.settled < context:
            return Why.SETTLING
        steps = min(spec.n_steps, int((window.end - window.settled) / sfreq / spec.step_s))
        masked = int(features.step_mask[-steps:].sum() + features.patch_mask.sum())
        if masked > spec.max_masked * (steps + spec.n_patches):
            return self._artefact(window, features.step_mask, steps) or Why.GAP
        n = self.info.n_chans  # a single channel is too few for any readout: that is no fault of its signal
        return Why.BAD_SIGNAL if features.quality.good.sum() < max(min(2, n), n / 2) else None

    def _artefact(self, window: Window, masked: Mask, steps: int) -> Why | None:
        """The artefact that most of the masked ones of the newest `steps` hold; None where they are masked by loss."""
        if window.artefacts is None or not self.marks_artefacts:
            return None
        codes = window.artefacts.reshape(self.spec.n_steps, -1)[-steps:]
        return commonest(codes) if 2 * (codes > 0).any(axis=1).sum() >= masked[-steps:].sum() else None
