"""SAM-40: 40 people who relaxed, named colours, calculated, and judged mirror images, three times each.

Page: https://doi.org/10.6084/m9.figshare.14562090.v1. Paper: Ghosh et al.
(2022), SAM 40: Dataset of 40 subject EEG recordings to monitor the induced-stress while performing Stroop color-word
test, arithmetic task, and mirror image recognition task, Data in Brief 40:107772, doi 10.1016/j.dib.2021.107772.

``raw_data/`` or ``filtered_data/`` hold ``{Relax,Stroop,Arithmetic,Mirror_image}_sub_N_trialM.mat`` with `Data` or
`Clean_data`, 32 channels by 3200 samples (25 s at 128 Hz, µV). Signals of both kinds are not mixed: raw ones are taken
where there are any. The names hold the number of the trial, not the order of tasks within it: the order above is
assumed. The first relaxation is the baseline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from realtime_mood.errors import MoodError
from realtime_mood.types import StreamInfo

from ..folders import is_simulated, unknown_layout
from ..guards import scale_factor
from ..matfiles import MatFile
from ..nets import labels_of
from ..trials import DatasetInfo, Recording, Segment, Span, Trial

TASKS = ("relax", "stroop", "arithmetic", "mirror_image")
CHANNELS = labels_of(
    "Cz Fz Fp1 F7 F3 FC1 C3 FC5 FT9 T7 CP5 CP1 P3 P7 PO9 O1 Pz Oz O2 PO10 P8 P4 CP2 CP6 T8 FT10 FC6 C4 FC2 F4 F8 Fp2"
)
SFREQ = 128.0
NAME = re.compile(r"(Relax|Stroop|Arithmetic|Mirror_image)_sub_(\d+)_trial(\d+)\.mat")
VARIABLES = ("Data", "Clean_data")


class Sam40:
    """Reads SAM-40."""

    info = DatasetInfo(
        name="sam40",
        title="SAM-40: induced stress",
        paper="Ghosh et al. (2022), SAM 40: Dataset of 40 subject EEG recordings to monitor the induced-stress …, Data "
        "in Brief 40:107772, doi 10.1016/j.dib.2021.107772",
        page="https://doi.org/10.6084/m9.figshare.14562090.v1",
        licence="CC BY 4.0",
        access="download Data.zip from the page",
        layout="raw_data/Arithmetic_sub_1_trial1.mat …\nor filtered_data/Arithmetic_sub_1_trial1.mat …",
        n_subjects=40,
        n_sessions=1,
        n_trials=11,
        labels=TASKS,
        subjects=tuple(f"{i:02}" for i in range(1, 41)),
        baseline="rest",
        labels_mean="what the subject was asked to do",
    )

    def recordings(self, root: Path) -> Sequence[Recording]:
        """One of each subject; see `DatasetReader`."""
        found = [
            (match, path) for path in sorted(root.rglob("*_sub_*_trial*.mat")) if (match := NAME.fullmatch(path.name))
        ]
        if not found:
            raise unknown_layout(self.info, root)
        folder = min({path.parent for _, path in found}, key=lambda f: ("raw" not in f.name.lower(), str(f)))
        by_subject: dict[int, dict[tuple[int, int], Path]] = {}
        for match, path in found:
            if path.parent == folder:
                place = int(match[3]), TASKS.index(match[1].lower())
                by_subject.setdefault(int(match[2]), {})[place] = path
        info = StreamInfo(CHANNELS, SFREQ, "SAM-40", virtual=is_simulated(root))
        return [
            _recording(f"{subject:02}", dict(sorted(own.items())), info) for subject, own in sorted(by_subject.items())
        ]


def _recording(subject: str, parts: dict[tuple[int, int], Path], info: StreamInfo) -> Recording:
    tasks = [TASKS[task] for _, task in parts]
    baseline = tasks.index("relax") if "relax" in tasks else -1
    files = tuple(parts.values())
    spans: list[Trial | None] = []
    for i, task in enumerate(tasks):
        spans.append(None if i == baseline else Trial(i - (0 <= baseline < i), task, task))
    trials = tuple(trial for trial in spans if trial)
    return Recording(subject, "1", info, trials, partial(_segments, files, spans), files)


def _segments(files: Sequence[Path], spans: Sequence[Trial | None]) -> Iterator[Segment]:
    for path, trial in zip(files, spans, strict=True):
        with MatFile(path) as file:
            name = next((name for name in VARIABLES if name in file.names()), VARIABLES[0])
            signal = np.asarray(file.read(name)).T
        if signal.ndim != 2 or signal.shape[1] != len(CHANNELS) or signal.dtype.kind not in "fiu":
            found = f"{name} of the shape {signal.shape[::-1]}; (32, 3200) expected"
            raise MoodError(f"signals in {path.name}", found, "download it again")
        signal = signal.astype(np.float32)
        scale_factor(signal, SFREQ, path.name)
        yield Segment((Span(0.0, len(signal) / SFREQ, trial),), signal)


READER = Sam40()
