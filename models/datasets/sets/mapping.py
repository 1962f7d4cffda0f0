"""Any other data set: BIDS or a loose folder, described by a TOML file (`models.datasets.description`).

docs/own-datasets.md has examples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.files import load
from realtime_mood.types import StreamInfo

from ..description import ANNOTATIONS, DOC, NEXT, DatasetMapping, Row, RowChoice
from ..folders import is_simulated
from ..guards import onset_unit
from ..nets import hydrocel_sites, nearest_sites
from ..refusing import readable
from ..signals import RawSignal, head_of, segments_of
from ..tables import number, rows
from ..trials import DatasetInfo, Recording, Span, Trial


class MappedReader:
    """Reads a data set that a `DatasetMapping` describes."""

    def __init__(self, mapping: DatasetMapping) -> None:
        self._mapping = mapping
        self.info = DatasetInfo(
            name=mapping.name, title=mapping.title or mapping.name, paper="", page="", licence=mapping.licence,
            access="as its authors say", layout=mapping.signals, n_subjects=0, n_sessions=0, n_trials=0,
            labels=tuple(dict.fromkeys(mapping.labels.values())),
            scales={scale.lower(): (of.low, of.high) for scale, of in mapping.ratings.items()},
            baseline=mapping.baseline.kind, mains=mapping.mains,
        )  # fmt: skip

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject and session; see `DatasetReader`."""
        mapping = self._mapping
        found: dict[tuple[str, str], list[Path]] = {}
        for path in sorted(path for path in root.glob(mapping.signals) if path.exists()):
            place = path.relative_to(root).as_posix()
            subject = re.search(mapping.subject, place)
            session = re.search(mapping.session, place) if mapping.session else None
            if subject and (session or not mapping.session):
                found.setdefault((subject[1], session[1] if session else "1"), []).append(path)
        if not found:
            raise ConfigError(f"data set {mapping.name} in {root}", f"no {mapping.signals} with a subject in its path",
                              f"correct signals and subject ({DOC})")  # fmt: skip
        simulated = is_simulated(root)
        return readable(
            {
                " session ".join(key): partial(self._recording, *key, found[key], root, simulated)
                for key in sorted(found)
            }
        )

    def _recording(self, subject: str, session: str, paths: Sequence[Path], root: Path, simulated: bool) -> Recording:
        parts: list[tuple[RawSignal, list[Span]]] = []
        infos: list[StreamInfo] = []
        notes: list[str] = []
        files: list[Path] = []
        n = 0
        for path in paths:
            source = self._source(path)
            info, length, odd = source.info(self.info.title)
            table = self._table(path)
            spans = self._spans(source, table, path.relative_to(root).as_posix(), info, length, n)
            n += sum(span.trial is not None for span in spans)
            parts.append((source, spans))
            infos.append(replace(info, virtual=info.virtual or simulated))
            notes += odd
            files += [path, *([table] if table else [])]
        trials = tuple(span.trial for _, spans in parts for span in spans if span.trial)
        if not trials:
            raise MoodError(f"subject {subject}", "none of its rows is a trial", f"correct [trial] ({DOC})")
        read = partial(segments_of, parts, infos[0])
        return Recording(subject, session, infos[0], trials, read, tuple(files), notes=tuple(dict.fromkeys(notes)))

    def _source(self, path: Path) -> RawSignal:
        mapping = self._mapping
        channels: tuple[str, ...] = ()
        if mapping.electrodes != "labels":
            head = head_of(path)
            near = nearest_sites(head.places) if mapping.electrodes == "positions" else {}
            named = [near.get(label, "") for label in head.labels] if near else hydrocel_sites(head.labels)
            if not any(named):
                raise MoodError(path.name, f"no electrode can be named by {mapping.electrodes}", "use labels")
            channels = tuple(name or "-" for name in named)
        return RawSignal(
            path, channels, mapping.drop, mapping.units, reference=mapping.reference,
            table_sfreq=mapping.sfreq or 0.0, delimiter=mapping.delimiter,
        )  # fmt: skip

    def _table(self, path: Path) -> Path | None:
        if self._mapping.events in (None, ANNOTATIONS):
            return None
        end = self._mapping.signals.rpartition("*")[2]
        table = path.with_name(path.name.removesuffix(end) + str(self._mapping.events))
        if not table.is_file():
            raise MoodError(f"events of {path.name}", f"no {table.name} beside it", f"correct events ({DOC})")
        return table

    def _spans(
        self, source: RawSignal, table: Path | None, place: str, info: StreamInfo, length: float, n: int
    ) -> list[Span]:
        mapping = self._mapping
        if mapping.events is None:
            stimulus, label = (_of_path(pattern, place) for pattern in (mapping.trial.stimulus, mapping.trial.label))
            return [Span(0.0, math.inf, Trial(n, stimulus or place, self._class(label)))]
        if table is None:
            events: list[Row] = [{mapping.trial.onset: f"{at}", "text": text} for at, text in source.markers()]
        else:
            events = list(rows(table, mapping.delimiter, self._columns()))
        onsets = self._onsets(events, source.path.name, info, length)
        order = sorted((i for i in range(len(events)) if math.isfinite(onsets[i])), key=lambda i: (onsets[i], i))
        spans: list[Span] = []
        for k, i in enumerate(order):
            following = onsets[order[k + 1]] if k + 1 < len(order) else length
            spans += self._of_row(events[i], onsets[i], following, info, n + sum(s.trial is not None for s in spans))
        return spans

    def _columns(self) -> list[str]:
        trial, baseline = self._mapping.trial, self._mapping.baseline
        wanted = [trial.onset, trial.stimulus, trial.label, *(scale.column for scale in self._mapping.ratings.values())]
        wanted += [choice.column for choice in (trial.rows, baseline.rows) if choice]
        wanted += [trial.duration] if isinstance(trial.duration, str) and trial.duration != NEXT else []
        return [column for column in wanted if column]

    def _onsets(self, events: Sequence[Row], asked: str, info: StreamInfo, length: float) -> list[float]:
        trial = self._mapping.trial
        onsets = [number(row.get(trial.onset)) for row in events]
        mine = [onset for onset, row in zip(onsets, events, strict=True) if self._is_trial(row)]
        if trial.unit == "samples":
            return [onset / info.sfreq for onset in onsets]
        if onset_unit(mine, info.sfreq, length) == "samples":
            found = f"an onset of {max(mine):g} in a recording of {length:.0f} s: these look like samples"
            raise MoodError(f"events of {asked}", found, 'write unit = "samples" in [trial] if they are')
        return onsets

    def _is_trial(self, row: Row) -> bool:
        trial = self._mapping.trial
        if trial.rows:
            return trial.rows.fits(row)
        return any(RowChoice(column=column).fits(row) for column in (trial.stimulus, trial.label) if column)

    def _of_row(self, row: Row, onset: float, following: float, info: StreamInfo, position: int) -> Iterator[Span]:
        """A trial, with the seconds before it where these are the baseline; or a rest; or nothing."""
        trial, baseline = self._mapping.trial, self._mapping.baseline
        if baseline.kind == "rest" and baseline.rows and baseline.rows.fits(row):
            yield Span(onset, onset + (baseline.seconds or self._lasts(row, onset, following, info)))
        elif self._is_trial(row):
            if baseline.kind == "pre-clip" and baseline.seconds and onset > 0:
                yield Span(max(0.0, onset - baseline.seconds), onset)
            label = self._class(row.get(trial.label, ""))
            rated = {scale.lower(): number(row.get(of.column)) for scale, of in self._mapping.ratings.items()}
            limits = self.info.scales
            rated = {scale: x for scale, x in rated.items() if limits[scale][0] <= x <= limits[scale][1]}
            stimulus = row.get(trial.stimulus, "") or row.get("text", "") or label
            lasts = self._lasts(row, onset, following, info)
            yield Span(onset, onset + lasts, Trial(position, stimulus, label, rated))

    def _lasts(self, row: Row, onset: float, following: float, info: StreamInfo) -> float:
        duration = self._mapping.trial.duration
        if duration == NEXT:
            return following - onset
        if isinstance(duration, str):
            lasts = number(row.get(duration))
            return lasts / info.sfreq if self._mapping.trial.unit == "samples" else lasts
        return duration

    def _class(self, cell: str) -> str:
        labels = self._mapping.labels
        return (labels.get(cell, "") if labels else "" if cell.lower() in ("n/a", "nan") else cell).lower()


def _of_path(pattern: str, place: str) -> str:
    match = re.search(pattern, place) if pattern else None
    return match[1] if match and match.re.groups else match[0] if match else ""


def mapped_reader(path: Path) -> MappedReader:
    """The reader of the data set that a TOML file describes.

    Raises
    ------
    ConfigError
        There is no such file, or it is not valid; the message names the key.
    """
    if not path.is_file():
        raise ConfigError(f"data set {str(path)!r}", "no such file", DOC)
    return MappedReader(load(DatasetMapping, "data set", str(path), {}))
