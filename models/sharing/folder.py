"""Writes a folder of weights for colleagues: complete or not at all, checked, and with a page about it.

It holds ``config.json`` (the card), ``model.safetensors``, ``golden.safetensors``, ``card.md`` and, where asked for or
there already, ``model.onnx``; nothing else of the folder that the weights come from.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.files import write_whole

from .. import onnx_runtime
from ..card import Card, find, read_file, with_file
from ..checkpoint import load_weights
from .page import OPSET, shared_page

CARD, PAGE, ONNX = "config.json", "card.md", onnx_runtime.FILE
PERSONAL = "profiles, personal readouts and recordings stay with their subject"


def export_weights(name: str, out: Path, *, onnx: bool = False, say: Callable[[str], object] = print) -> Card:
    """Write the weights of that name or folder to the new folder `out`, and return their card.

    Parameters
    ----------
    name : str
        Shipped weights by name, or a folder.
    out : Path
        Not there yet, or empty.
    onnx : bool
        Also write ``model.onnx`` (see `onnx_file`), and its hash to the card: such weights run without torch.
    say : callable
        Receives lines about the result.

    Raises
    ------
    ConfigError
        `out` holds something, or `name` is a file, such as a subject's profile.
    WeightsError
        The weights are missing or altered, or ONNX Runtime computes something else.
    MoodError
        The folder cannot be written.
    """
    _check(name, out)
    folder, weights = find(name), load_weights(name)
    card = weights.card
    blobs = {CARD: card.to_json()} | {file: read_file(folder, file, card, name) for file in sorted(card.sha256)}
    if onnx and ONNX not in blobs:
        from .onnx_file import to_onnx

        blobs[ONNX] = to_onnx(weights)
        card = with_file(card, ONNX, blobs[ONNX])
        blobs[CARD] = card.to_json()
    onnx = ONNX in blobs
    sha256 = {file: hashlib.sha256(blob).hexdigest() for file, blob in blobs.items()}
    blobs[PAGE] = shared_page(card, sha256, onnx=onnx).encode()
    _write(out, blobs)
    if others := sorted(it.name for it in folder.iterdir() if it.name not in {*blobs, "README.md"}):
        say(f"left out: {', '.join(others)} ({PERSONAL})")
    for readout, about in weights.card.training.get("data_sets", {}).items():
        say(f"{readout}: licence of the data of {about['title']}: {about['licence']}")
    if onnx:
        say(f"{ONNX}: opset {OPSET}, equal to torch on the golden pair and on montages of 4 to 62 channels")
    say(f"saved {out}: {', '.join(sorted(blobs))}; read {PAGE} before you pass it on")
    return card


def _check(name: str, out: Path) -> None:
    if Path(name).is_file():
        raise ConfigError(f"export of {name}", f"it is a file, not weights; {PERSONAL}", "give a name or a folder")
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        found = "the folder is not empty" if out.is_dir() else "there is a file"
        raise ConfigError(f"export to {out}", found, "choose a new folder; nothing is overwritten")


def _write(out: Path, blobs: dict[str, bytes]) -> None:
    """Write all files to a folder beside `out`, load the network from it, and give it its name."""
    partial = out.parent / f".{secrets.token_hex(8)}.part"
    try:
        for file, blob in blobs.items():
            write_whole(partial / file, blob)
        load_weights(str(partial))
        if out.is_dir():
            out.rmdir()  # empty
        partial.rename(out)
    except OSError as error:
        do = "free some space there, or choose another --out"
        raise MoodError(f"export to {out}", str(error.strerror or error), do) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
