"""A recording as part of a BIDS data set [1]_: signal, events, status of electrodes, and readings as derivatives.

References
----------
.. [1] Pernet et al. (2019), "EEG-BIDS, an extension to the brain imaging data structure for electroencephalography",
   Scientific Data 6:103, doi 10.1038/s41597-019-0104-8. Written by MNE-BIDS: Appelhoff et al. (2019), JOSS 4(44):1896.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import ConfigError, install_extra
from ..recording.reader import Recorded
from ..report.session import ElectrodeShare, SessionReport, report_of
from .physio import TASK, write_beside
from .readings import ELECTRODES, MEANING, electrodes_of, table_of, write_events
from .signal import coarsest, raw_of
from .staging import alone_in, staged

if TYPE_CHECKING:
    import mne
    from mne_bids import BIDSPath

DESCRIPTION, PARTICIPANTS = "dataset_description.json", "participants.tsv"
KEY = b"participant_id"  # the column of `PARTICIPANTS` with the labels
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
    """The codes that were given, else those in the name of the recording, or inside it.

    Raises `ConfigError` where there is no participant, or a code has other characters.
    """
    asked = f"export {report.file} to BIDS"
    found = Session(participant or report.participant, session or report.session)
    if not found.participant:
        raise ConfigError(asked, "it has no participant ID", "add --participant ID")
    for code in (found.participant, found.session):
        if not re.fullmatch("[0-9A-Za-z]*", code):
            raise ConfigError(asked, f"{code!r} is no BIDS label", "use letters and digits")
    return found


def write_bids(recorded: Recorded, root: Path, participant: str, session: str, sha256: str) -> Path:
    """Add a recording to the data set at `root`, as the next run of its session; return the file of its signal.

    That is EDF, or BDF where 16 bits are too coarse. Codes that are not given are those in the recording's name. The
    files come to their places when all are complete; what an interrupted export has left of the run is removed. Nothing
    else is overwritten.

    Raises
    ------
    ConfigError
        MNE-BIDS is not installed, or there is no participant.
    StreamMismatch
        The recording has no samples, or is too damaged.
    """
    try:
        import mne_bids as _  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError("export to BIDS", f"{error.name} is not installed", install_extra(str(error.name))) from None
    report = report_of(recorded)
    where, raw = session_of(report, participant, session), raw_of(recorded, whole_records=True)
    raw.info["line_freq"] = {"50": 50.0, "60": 60.0}.get(str(recorded.about.get("notch")))
    with alone_in(root):
        return _add(recorded, raw, report, root, where, sha256)


def _add(
    recorded: Recorded, raw: mne.io.RawArray, report: SessionReport, root: Path, where: Session, sha256: str
) -> Path:
    """Write all files of the session's next run; return that of the signal."""
    import mne_bids

    kind = "BDF" if coarsest(raw) else "EDF"
    path, readings = _next_run(root, where, f".{kind.lower()}")
    with staged(root, f"{readings.name}.json") as new:
        path.update(root=new)
        _copy_shared(root, new, path)
        if not (new / DESCRIPTION).exists():
            mne_bids.make_dataset_description(
                path=new, name=root.resolve().name, data_license="n/a", authors=["n/a"], verbose="ERROR"
            )
        mne_bids.write_raw_bids(raw, path, format=kind, allow_preload=True, overwrite=True,
                                physical_range="channelwise", verbose="ERROR")  # fmt: skip
        _describe(path, report)
        of_run, signal = path.basename.removesuffix(f"_eeg{path.extension}"), path.fpath.relative_to(new)
        feedback = new / readings.with_name(readings.name.replace("_desc-readings", "_desc-feedback"))
        list(write_beside(recorded, of_run, path.fpath.parent, feedback))
        _write_readings(recorded, new, new / readings, {"Sources": [f"bids::{signal.as_posix()}"], SOURCE: sha256})
        table = (root / PARTICIPANTS).read_bytes() if (root / PARTICIPANTS).exists() else b""
        if without_participant(table, f"sub-{where.participant}") != table:
            (new / PARTICIPANTS).unlink()  # what somebody has added to the row stays
        for folder in (signal.parent, readings.parent):
            for old in (root / folder).glob(f"{of_run}_*"):
                old.unlink()
    return root / signal


def _copy_shared(root: Path, new: Path, path: BIDSPath) -> None:
    """Copy the files of the data set that a new run changes, or needs."""
    scans = path.copy().update(datatype=None, run=None, task=None, suffix="scans", extension=".tsv").fpath
    readmes = [it.name for it in root.glob("README*")]
    names = [DESCRIPTION, *readmes, PARTICIPANTS, "participants.json", DERIVATIVES / DESCRIPTION]
    for name in (*names, scans.relative_to(new)):
        if (root / name).is_file():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, new / name)


def without_participant(content: bytes, label: str) -> bytes:
    """The table `PARTICIPANTS` without the rows of a participant, the others byte for byte."""
    lines = content.split(b"\n")
    names = lines[0].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r").split(b"\t")
    if KEY not in names:
        return content
    column = names.index(KEY)
    cells = ((line, line.rstrip(b"\r").split(b"\t")) for line in lines[1:])
    return b"\n".join([lines[0], *(line for line, row in cells if row[column : column + 1] != [label.encode()])])


def exported(root: Path) -> set[str]:
    """Hashes of the recordings that are completely in the data set at `root`."""
    return {str(_json(path).get(SOURCE)) for path in (root / DERIVATIVES).rglob("*_desc-readings_events.json")}


def _next_run(root: Path, where: Session, extension: str) -> tuple[BIDSPath, Path]:
    """The first run of the session that is not complete, and its readings, below `root` and without their suffix."""
    from mne_bids import BIDSPath

    run = 1
    while True:
        path = BIDSPath(root=root, datatype="eeg", suffix="eeg", extension=extension, subject=where.participant,
                        session=where.session or None, task=TASK, run=f"{run:02d}")  # fmt: skip
        name = path.basename.replace(f"_eeg{extension}", "_desc-readings_events")
        readings = DERIVATIVES / path.fpath.parent.relative_to(root) / name
        if not (root / readings).with_suffix(".json").exists():
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
    channels = path.copy().update(suffix="channels", extension=".tsv").fpath
    text = channels.read_text(encoding="utf-8")  # MNE-BIDS names V for BDF, which is in µV as EDF is
    channels.write_text(text.replace("\tEEG\tV\t", "\tEEG\tµV\t"), encoding="utf-8")
    mne_bids.mark_channels(path, ch_names=names, status=status, descriptions=reasons, verbose="ERROR")


def _reasons(one: ElectrodeShare) -> str:
    """For which share of the time an electrode could not be trusted, and why."""
    faults = [*one.faults, *([("left out by the user", one.excluded)] if one.excluded else [])]
    return ", ".join(f"{fault} {share:.0%} of the time" for fault, share in faults) or "n/a"


def _write_readings(recorded: Recorded, root: Path, readings: Path, about: dict[str, Any]) -> None:
    """As derivatives, the faults of electrodes, and the readings with the settings that made them."""
    if not (root / DERIVATIVES / DESCRIPTION).exists():
        import mne_bids

        (root / DERIVATIVES).mkdir(parents=True, exist_ok=True)  # MNE-BIDS makes it only where filelock is installed
        mne_bids.make_dataset_description(
            path=root / DERIVATIVES, name="Readings of realtime_mood", dataset_type="derivative",
            generated_by=[{"Name": "realtime_mood", "Version": __version__}], verbose="ERROR",
        )  # fmt: skip
    table = table_of(recorded)
    events = {"onset": table.pop("t"), "duration": [0] * len(table["status"]), **table}
    columns = {f"p_{label}": f"probability of {label}" for label in (it[2:] for it in table if it.startswith("p_"))}
    made_by = {key: recorded.about.get(key) for key in MADE_BY}
    made_by["weights"] = PurePath(str(recorded.about.get("weights", ""))).name
    electrodes = readings.with_name(readings.name.replace("_desc-readings", "_desc-electrodes"))
    write_events(electrodes, electrodes_of(recorded), ELECTRODES)
    write_events(readings, events, MEANING | columns, about | {"Readings": made_by})


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
