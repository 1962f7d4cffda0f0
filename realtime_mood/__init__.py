"""A real-time EEG emotion reader."""

from pathlib import Path

# `models`, `calibration` and `app` are modules of this package. In a checkout they lie beside its folder, and symbolic
# links lead there; where a link is a small text file instead (Windows), the folder above is searched. The reasons are
# in docs/decisions/0017-one-import-name.md.
if not Path(__file__).with_name("models").is_dir():
    __path__.insert(0, str(Path(__file__).resolve().parents[1]))
