"""A recording as part of a BIDS data set [1]_: EDF, events, status of electrodes, and readings as derivatives.

References
----------
.. [1] Pernet et al. (2019), "EEG-BIDS, an extension to the brain imaging data structure for electroencephalography",
   Scientific Data 6:103, doi 10.1038/s41597-019-0104-8. Written by MNE-BIDS: Appelhoff et al. (2019), JOSS 4(44):1896.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import ConfigError, install_extra
from ..files import write_whole
from ..recording.reader import Recorded
from ..report.session import ElectrodeShare, SessionReport, report_of
from .physio import write_beside
from .readings import MEANING, table_of, text_of
from .signal import raw_of

if TYPE_CHECKING:
    from mne_bids import BIDSPath

TASK = "mood"
DERIVATIVES = Path("derivatives", "realtime_mood")
SOURCE = "SourceSHA256"
"""Key of the recording's hash in the JSON file of its readings, which is written last: where it is, all is."""
MADE_BY: tuple[str, ...] = ("version", "sha256", "readout", "notch", "repair")
"""Settings of the readings that are exported: no paths, and nothing of the subject's profile."""
MOSTLY = 0.5  # share of the time for which an electrode must be good to have the status good


@dataclass(frozen=True)
class Session:
    """Where a recording belongs in a data set; the codes are letters and digits."""

    participant: str
    session: str


def session_of(report: SessionReport, participant: str, session: str) -> Session:
    """The codes that were given, else those in the name of the recording.

    Raises `ConfigError` where there is no participant, or a code has other characters.
    """
    asked = f"export {report.file} to BIDS"
    found = Session(participant or report.participant, session or report.session)
    if not found.participant:
        raise ConfigError(asked, "its name has no participant ID (sub-ID_…)", "add --participant ID")
    for code in (found.participant, found.session):
        if not re.fullmatch("[0-9A-Za-z]*", code):
            raise ConfigError(asked, f"{code!r} is no BIDS label", "use letters and digits")
    return found


def write_bids(recorded: Recorded, root: Path, participant: str, session: str, sha256: str) -> Path:
    """Add a recording to the data set at `root`, as the next run of its session; return its EDF file.

    Codes that are not given are those in its name. A run whose export was interrupted is written again. Nothing else is
    overwritten.

    Raises
    ------
    ConfigError
        MNE-BIDS is not installed, or there is no participant.
    StreamMismatch
        The recording has no samples, or is too damaged.
    """
    try:
        import mne_bids
    except ModuleNotFoundError as error:
        raise ConfigError("export to BIDS", f"{error.name} is not installed", install_extra(str(error.name))) from None
    report = report_of(recorded)
    where, raw = session_of(report, participant, session), raw_of(recorded)
    raw.info["line_freq"] = {"50": 50.0, "60": 60.0}.get(str(recorded.about.get("notch")))
    path, readings = _next_run(root, where)
    if not (root / "dataset_description.json").exists():
        mne_bids.make_dataset_description(
            path=root, name=root.resolve().name, data_license="n/a", authors=["n/a"], verbose="ERROR"
        )
    mne_bids.write_raw_bids(raw, path, format="EDF", allow_preload=True, overwrite=True,
                            physical_range="channelwise", verbose="ERROR")  # fmt: skip
    _describe(path, report)
    source = f"bids::{path.fpath.relative_to(root).as_posix()}"
    feedback = readings.with_name(readings.name.replace("_desc-readings", "_desc-feedback"))
    list(write_beside(recorded, path.basename.removesuffix("_eeg.edf"), path.fpath.parent, feedback))
    _write_readings(recorded, root, readings, {"Sources": [source], SOURCE: sha256})
    return Path(path.fpath)


def exported(root: Path) -> set[str]:
    """Hashes of the recordings that are completely in the data set at `root`."""
    return {str(_json(path).get(SOURCE)) for path in (root / DERIVATIVES).rglob("*_desc-readings_events.json")}


def _next_run(root: Path, where: Session) -> tuple[BIDSPath, Path]:
    """The first run of the session that is not complete, and its readings, without their suffix."""
    from mne_bids import BIDSPath

    run = 1
    while True:
        path = BIDSPath(root=root, datatype="eeg", suffix="eeg", extension=".edf", subject=where.participant,
                        session=where.session or None, task=TASK, run=f"{run:02d}")  # fmt: skip
        folder = root / DERIVATIVES / path.fpath.parent.relative_to(root)
        readings = folder / path.basename.replace("_eeg.edf", "_desc-readings_events")
        if not readings.with_suffix(".json").exists():
            return path, readings
        run += 1


def _describe(path: BIDSPath, report: SessionReport) -> None:
    """Reference and origin of the signal, and which electrodes were good."""
    import mne_bids

    simulated = "SIMULATED: not a person. " if report.info.virtual else ""
    entries = {
        "EEGReference": report.info.reference,
        "EEGGround": "n/a",
        "SoftwareFilters": "n/a",
        "Manufacturer": "n/a",
        "TaskDescription": f"{simulated}Recorded by realtime_mood from the stream {report.info.name or 'unnamed'}.",
    }
    mne_bids.update_sidecar_json(path.copy().update(extension=".json"), entries, verbose="ERROR")
    status = ["good" if (one.good is None or one.good >= MOSTLY) else "bad" for one in report.electrodes]
    reasons = [_reasons(one) for one in report.electrodes]
    names = [one.name for one in report.electrodes]
    mne_bids.mark_channels(path, ch_names=names, status=status, descriptions=reasons, verbose="ERROR")


def _reasons(one: ElectrodeShare) -> str:
    """For which share of the time an electrode could not be trusted, and why."""
    faults = [*one.faults, *([("left out by the user", one.excluded)] if one.excluded else [])]
    return ", ".join(f"{fault} {share:.0%} of the time" for fault, share in faults) or "n/a"


def _write_readings(recorded: Recorded, root: Path, readings: Path, about: dict[str, Any]) -> None:
    """The readings as a derivative, and the settings that made them."""
    if not (root / DERIVATIVES / "dataset_description.json").exists():
        import mne_bids

        mne_bids.make_dataset_description(
            path=root / DERIVATIVES, name="Readings of realtime_mood", dataset_type="derivative",
            generated_by=[{"Name": "realtime_mood", "Version": __version__}], verbose="ERROR",
        )  # fmt: skip
    table = table_of(recorded)
    events = {"onset": table.pop("t"), "duration": [0] * len(table["status"]), **table}
    columns = {name: {"Description": MEANING[name]} for name in table if name in MEANING}
    columns |= {name: {"Description": f"probability of {name[2:]}"} for name in table if name.startswith("p_")}
    made_by = {key: recorded.about.get(key) for key in MADE_BY}
    made_by["weights"] = PurePath(str(recorded.about.get("weights", ""))).name
    write_whole(readings.with_suffix(".tsv"), text_of(events, "\t", "n/a"))
    text = json.dumps(columns | about | {"Readings": made_by}, indent=1) + "\n"
    write_whole(readings.with_suffix(".json"), text.encode())


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
