"""Fuzz targets for the metadata of sources: names, units, sidecars, headers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from benchmarks.fuzz_texts import Target
from realtime_mood.models.datasets.bids import read_bids
from realtime_mood.montage import canonical_name
from realtime_mood.sources.channels import choose_channels
from realtime_mood.sources.units import scales
from realtime_mood.sources.url import CommonOptions
from tests.integration import matlab, recordings, tables
from tests.integration.broken_off import write_edf_plus

LABELS = (
    "Fp1,Fp2,C3,C4,O1,O2,VEOG,ECG",
    "EEG Fp1-REF,EEG C3-REF,EEG O2-REF,EEG A1-REF,EKG1-REF",
    "EEG F3-LE,EEG C3-LE,Photic-REF,EEG Pz-LE",
    "F3:A2,C3:A2,O1:A2,Pz EOG,Fp1 EMG,O2 saturation",
    "FP1-M2,C3/M2,O1 - M2",
    "AF3,AF4,T7,T8,Interpolate,HardwareMarker",
)
UNITS = ("uV,uV,uV", "µV,microvolts,MICROVOLT", "mV,V,nV", "0.1uV,0.1uV,0.1uV", "", "n/a,,uV")
CHANNELS_TSV = "name\ttype\tunits\tstatus\nFp1\tEEG\tµV\tgood\nC3\tEEG\tµV\tbad\nVEOG\tEOG\tµV\tn/a\n"
DESCRIPTION = b'{"Name": "x", "BIDSVersion": "1.9.0", "License": "CC0"}'
RECORDING = "sub-01_task-rest_eeg.edf"


def _labels(content: bytes) -> str:
    labels = content.decode("latin-1").split(",")[:200]
    chosen = choose_channels(labels, [True] * len(labels), CommonOptions(), "a source")
    assert len(set(chosen.columns)) == len(set(chosen.ch_names)) == len(chosen.columns)
    assert all(canonical_name(name) == name for name in chosen.ch_names)
    return "played"


def _units(content: bytes) -> str:
    units = content.decode("latin-1").split(",")[:200]
    assert (scales("a source", units)[0] > 0).all()
    return "played"


def _sidecar(name: str) -> Callable[[bytes], str]:
    def use(content: bytes) -> str:
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            eeg = Path(folder) / "sub-01" / "eeg"
            eeg.mkdir(parents=True)
            (eeg / RECORDING).touch()
            (Path(folder) / name).write_bytes(content)
            assert [it.path.name for it in read_bids(Path(folder), (".edf",)).recordings] == [RECORDING]
        return "played"

    return use


def _edf_plus(path: Path, kind: str) -> None:
    notes = [(0, b"+0.1\x14begin\x14"), (2, b"+0.5\x150.3\x14Augen ge\xf6ffnet\x14@@Fp1\x14")]
    signals = zip(recordings.CH_NAMES, recordings.counting(4.0, 125.0).T, [125] * 4, strict=True)
    write_edf_plus(path, list(signals), ["0", "1", "2", "17"] if kind == "+D" else "0123", notes=notes, kind=kind)


def _matlab(path: Path, version: str) -> None:
    data = recordings.counting(2.0, 125.0)
    if version == "7.3":
        matlab.write_v73(path, data, 125.0, recordings.CH_NAMES, "sparse")
    else:
        etc = matlab.structure({f"odd{i}": part for i, part in enumerate(matlab.ODD.values())})
        path.write_bytes(matlab.mat_file(matlab.eeglab(data, 125.0, recordings.CH_NAMES, etc=etc)))


@cache
def _dialects() -> tuple[bytes, ...]:
    """One table as spreadsheets of several countries and encodings write it."""
    rows = tables.muse_cells(tables.signal(400, 4))
    texts = tables.text_of(tables.with_commas(rows), ";"), tables.text_of(rows, "\t", "\r\n")
    quoted = [[f'"{cell}"' for cell in row] for row in rows]
    return (*(text.encode() for text in texts), texts[0].encode("utf-16"), tables.text_of(quoted).encode("utf-8-sig"))


def _written(name: str, write: Callable[[Path, str], None], kind: str) -> Callable[[], tuple[bytes, ...]]:
    @cache
    def seeds() -> tuple[bytes, ...]:
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            write(Path(folder) / name, kind)
            return ((Path(folder) / name).read_bytes(),)

    return seeds


def kinds(play: Callable[[str, bytes], str]) -> dict[str, Target]:
    """The targets; `play` plays what would stand in a file of that name."""
    files = {
        "edf+": ("a.edf", _edf_plus, "+C"),
        "bdf+ with a break": ("a.bdf", _edf_plus, "+D"),
        "set with odd parts": ("a.set", _matlab, "5"),
        "set of 7.3": ("a.set", _matlab, "7.3"),
    }
    return {
        "table dialects": Target(_dialects, lambda content: play("a.csv", content)),
        "labels": Target(lambda: tuple(text.encode("latin-1") for text in LABELS), _labels),
        "units": Target(lambda: tuple(text.encode("latin-1") for text in UNITS), _units),
        "channels.tsv": Target(lambda: (CHANNELS_TSV.encode(),), _sidecar("sub-01/eeg/sub-01_channels.tsv")),
        "BIDS description": Target(lambda: (DESCRIPTION,), _sidecar("dataset_description.json")),
        **{
            name: Target(_written(file, write, kind), lambda content, file=file: play(file, content))
            for name, (file, write, kind) in files.items()
        },
    }
