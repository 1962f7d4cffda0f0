"""The page of a shared folder, ``card.md``: what a colleague has to know before using the weights."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from realtime_mood import __version__, language

from ..card import Card
from ..card_page import PURPOSE, lines_of

OPSET = 18
"""Version of ONNX's operators in ``model.onnx``; ONNX Runtime has them since 1.14."""
BOUND = (
    "Weights that were trained on data under a licence may fall under its terms: naming the authors, no commercial "
    "use, or not passing anything on. Read it before you pass the folder on."
)


def shared_page(card: Card, sha256: Mapping[str, str], *, onnx: bool) -> str:
    """The text of ``card.md``, in English.

    Parameters
    ----------
    card : Card
    sha256 : mapping of str to str
        Of every other file of the folder, by its name.
    onnx : bool
        There is a ``model.onnx``.
    """
    with _english():
        readouts = [f"## Readout `{name}`: {' / '.join(head.labels)}\n\n{_shown(card, name)}"
                    for name, head in card.readouts.items()]  # fmt: skip
    spec = card.spec
    bands = ", ".join(f"{name} {low:g}–{high:g}" for name, (low, high) in spec.bands.items())
    top = max(high for _, high in spec.bands.values())
    needs = (
        f"EEG in µV of four or more electrodes of the 10-05 system, at {2.2 * top:.0f} Hz or more; bands {bands} Hz; "
        f"the last {spec.n_steps * spec.step_s:g} s"
    )
    needs += "; eye movements, where they are known." if card.eye_trained else "."
    parts = [
        f"# {card.name}", "Weights of the Mood Reader, for the program realtime_mood.", *readouts,
        "## Licence\n\n" + BOUND, "## Not for\n\n" + PURPOSE, "## Input\n\n" + needs, "## How to load it\n\n" + LOAD,
        *([ONNX] if onnx else []), "## Versions\n\n" + _versions(card, onnx=onnx),
        "## Checksums (SHA-256)\n\n" + "\n".join(f"    {value}  {name}" for name, value in sorted(sha256.items())),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


LOAD = """\
On the command line, with `DIR` the folder that this page is in:

    python app.py info --weights DIR
    python app.py run --source lsl://MyHeadset --weights DIR

In Python:

    import realtime_mood as rm
    for reading in rm.read("lsl://MyHeadset", weights="DIR"):
        print(reading)

Loading checks every hash, and that the network computes its golden pair on your machine. No file is a pickle."""


ONNX = f"""\
## ONNX

`model.onnx` (opset {OPSET}) is the same network for ONNX Runtime and other programs; this one runs it with
`--runtime onnx`, without torch. `config.json` has its checksum; its metadata have that of `model.safetensors`, labels,
temperatures and the settings of the features. How to call it: docs/sharing.md of the program."""


def _shown(card: Card, name: str) -> str:
    """Evidence, protocol, subjects, figures, what may be claimed, and the licence of the data."""
    return "\n".join(f"  - {line.lstrip()}" if line.startswith("  ") else f"- {line}" for line in lines_of(card, name))


def _versions(card: Card, *, onnx: bool) -> str:
    packages = ["torch", "safetensors", "numpy", *(["onnx", "onnxruntime"] if onnx else [])]
    ours = f"realtime_mood {__version__} (weights of format {card.format}), Python {platform.python_version()}"
    return f"Exported with {ours}, {', '.join(f'{name} {version(name)}' for name in packages)}."


@contextmanager
def _english() -> Iterator[None]:
    """A colleague may not read the language in use here."""
    before = language.current()
    language.use("en")
    try:
        yield
    finally:
        language.use(before)
