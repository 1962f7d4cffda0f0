"""Opens a recording with the MNE reader that its name or its first bytes ask for."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mne

from ...errors import StreamMismatch
from .headers import beginning, text_in

CHILD = Path(__file__).with_name("mat_child.py")
LEAST_BYTES = 4 << 30  # memory the child may take, and as much as the file has four times over
LONGEST_S = 60.0  # the child is given this much time, and as much again for every 100 MB


def open_raw(path: Path, asked: str, **options: Any) -> tuple[Any, int]:
    """The file as MNE reads it, not loaded, and how many annotations outside the signal MNE left out.

    `options` are for MNE's reader. Raises `StreamMismatch` for the errors of MNE whose cause is known; others pass.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            raw = _read(path, asked, options)
        omitted = re.findall(r"Omitted (\d+) annotation", "\n".join(str(warning.message) for warning in caught))
        return raw, sum(map(int, omitted))
    except Exception as error:
        if known := _explained(error):
            raise StreamMismatch(asked, *known) from error
        raise


def _explained(error: Exception) -> tuple[str, str] | None:
    """What an error of MNE means, and what to do; None where its own words are shown."""
    if package := _missing_package(error):
        do = f"pip install '{package}', or 'realtime-mood[formats]' for the readers of all formats"
        return f"its reader needs the package {package}, which is not installed", do
    if any(isinstance(cause, UnicodeDecodeError) for cause in (error, error.__cause__)):
        found = f"its text is not UTF-8: {error.__cause__ or error}"
        return found[:160], "save that text as UTF-8, or convert the file to EDF or FIF"
    if match := re.search(r"number of trials is (\d+)", str(error)):
        return f"it holds {match[1]} epochs, no continuous recording", "save the recording before it is cut into epochs"
    if "event sample index is negative" in str(error):
        return "it has an event before its signal begins", "delete that event in EEGLAB"
    if "number of bytes per sample" in str(error):
        found = "its header does not say whether a number takes 2 or 4 bytes"
        return found, "convert it to EDF with the program that wrote it"
    return None


def _read(path: Path, asked: str, options: dict[str, Any]) -> Any:
    try:
        return _reader(path, asked)(path, verbose="WARNING", **options)
    except UnicodeDecodeError:
        match path.suffix.lower():
            case ".vhdr" | ".ahdr":
                return _brainvision_of_any_encoding(path)
            case ".edf" | ".bdf" as suffix:
                read = mne.io.read_raw_edf if suffix == ".edf" else mne.io.read_raw_bdf
                return read(_without_reserved(path), preload=True, verbose="WARNING", **options)
        raise


def _brainvision_of_any_encoding(path: Path) -> Any:
    """A BrainVision recording some of whose text is not encoded as its header says."""
    header = text_in(path)
    with tempfile.TemporaryDirectory() as folder:
        for key in ("DataFile", "MarkerFile"):
            if named := re.search(rf"(?im)^{key}\s*=\s*(.+?)\s*$", header):
                file = path.absolute().with_name(named[1].replace("$b", path.stem))
                if key == "MarkerFile":
                    marks = re.sub(r"(?im)^Codepage\s*=.*$", "Codepage=UTF-8", text_in(file))
                    file = Path(folder) / file.name
                    file.write_text(marks, "utf-8")
                header = header.replace(named[0], f"{key}={file}")
        copy = Path(folder) / path.name
        copy.write_text(re.sub(r"(?im)^Codepage\s*=.*$", "Codepage=UTF-8", header), "utf-8")
        return mne.io.read_raw_brainvision(copy, verbose="WARNING")


def _reader(path: Path, asked: str) -> Callable[..., Any]:
    """MNE's reader; `mne.io.read_raw` where the ending says enough, since it hides why each of several fails."""
    name, begin = "read_raw", beginning(path, 10)
    match path.suffix.lower():
        case ".set" | ".mat":
            return _matlab_reader(path, asked)
        case ".data":
            return partial(mne.io.read_raw_nicolet, ch_type="eeg")
        case ".cnt":
            name = "read_raw_ant" if begin[:4] in (b"RIFF", b"RF64") else "read_raw_cnt"
        case ".dat":
            name = "read_raw_bci2k" if begin == b"HeaderLen=" else "read_raw_curry"
    return getattr(mne.io, name, mne.io.read_raw)  # an older MNE has fewer


def _matlab_contents(path: Path, asked: str) -> tuple[dict[str, list[str]], str | None]:
    """The variables of a MATLAB file with the fields of structures, and the encoding of its text, where unusual.

    It is read in a child process, because the libraries crash on some damaged files; that takes 0.25 s. The reasons:
    ``docs/decisions/0016-untrusted-files-in-a-child-process.md``.
    """
    size, do = path.stat().st_size, "save it again, or convert it to EDF or FIF"
    command = [sys.executable, "-P", "-W", "ignore", str(CHILD), str(path), str(LEAST_BYTES + 4 * size)]
    try:
        child = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=LONGEST_S * (1 + size / 100e6), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise StreamMismatch(asked, f"a MATLAB file that is not read within {error.timeout:.0f} s", do) from None
    if child.returncode == 0 and (lines := child.stdout.splitlines()):
        contents = json.loads(lines[-1])
        return contents["fields"], contents["codec"]
    if child.returncode < 0:
        raise StreamMismatch(asked, "a damaged MATLAB file: the library that reads it crashes", do)
    output = child.stderr.strip().splitlines() or ["no reason given"]
    raise StreamMismatch(asked, f"a MATLAB file that cannot be read: {output[-1][:120]}", do)


def _matlab_reader(path: Path, asked: str) -> Callable[..., Any]:
    """The reader for a MATLAB file with a structure of EEGLAB or of FieldTrip."""
    fields, codec = _matlab_contents(path, asked)
    if "EEG" in fields or {"srate", "data"} <= fields.keys():
        # Only a .set file may name itself as the place of its data.
        return partial(mne.io.read_raw_eeglab, uint16_codec=codec, preload=path.suffix.lower() == ".mat")
    if name := next((name for name, keys in fields.items() if {"trial", "label"} <= set(keys)), None):
        return partial(_read_fieldtrip, data_name=name)
    held = ", ".join(list(fields)[:8]) or "nothing"
    found = f"a MATLAB file without a recording of EEGLAB or FieldTrip; it holds {held}"
    raise StreamMismatch(asked, found, "save the recording from EEGLAB as .set")


def _read_fieldtrip(path: Path, data_name: str, verbose: str) -> Any:
    with mne.use_log_level(verbose):
        raw = mne.io.read_raw_fieldtrip(path, None, data_name)
        # FieldTrip keeps no types, and MNE calls "misc" what it does not know: their names say what is EEG.
        return raw.set_channel_types({raw.ch_names[i]: "eeg" for i in mne.pick_types(raw.info, meg=False, misc=True)})


def _without_reserved(path: Path) -> io.BytesIO:
    """An EDF or BDF file without the reserved fields, which MNE requires to be UTF-8."""
    content = bytearray(path.read_bytes())
    n_chans = int(content[252:256])
    content[256 + 224 * n_chans : 256 + 256 * n_chans] = b" " * (32 * n_chans)
    return io.BytesIO(content)


def _missing_package(error: Exception) -> str | None:
    """The package that MNE or one of its libraries misses, as pip calls it, with the version where it is stated."""
    if not isinstance(error, ImportError | RuntimeError):
        return None
    message = str(error)
    if match := re.search(r"module \S+?(>=[\w.]+)? .*pip install (\S+)", message, re.DOTALL):
        return match[2] + (match[1] or "")
    if match := re.search(r"No module named '(\w+)|^(?:The )?(\w+) (?:package )?is required", message):
        return match[1] or match[2]
    return None
