"""Foundation encoders as rows of the probe suite: braindecode's classes with weights from a folder on this machine.

The folder holds ``config.json`` (arguments of the class, such as ``sfreq`` in Hz) and ``model.safetensors``, as
braindecode saves them. Only safetensors are read, never pickles, and nothing is downloaded here (but braindecode's REVE
fetches its table of positions when it is built). The signal is resampled to
the encoder's rate and scaled as `PER_UV` says, else by the rms of the subject's reference. Features are the class's own
(``return_features=True``), averaged over tokens.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
from math import gcd
from pathlib import Path
from typing import Any

import mne
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from scipy.signal import resample_poly

from realtime_mood.errors import ConfigError, WeightsError
from realtime_mood.montage import locate

from .probe_features import BLOCK
from .probe_tasks import Unit

SFREQ = 200.0  # where the configuration has none
PER_UV = {"Labram": 0.01, "CBraMod": 0.01}
"""Units of a microvolt of encoders that were trained on a fixed scale."""
HEAD_M = 0.095  # radius
HEAD = "final_layer"  # braindecode's name of the head, which is not used
INSTALL = "pip install braindecode"


class FoundationFeatures:
    """One encoder: `asked` is ``CLASS=FOLDER``, such as ``Labram=weights/labram``.

    Raises
    ------
    ConfigError
        braindecode is not installed, has no such class, or the class gives no features.
    WeightsError
        The folder lacks a file, or one cannot be read.
    """

    def __init__(self, asked: str) -> None:
        self.name, _, place = asked.partition("=")
        self.title, folder, fix = f"{self.name} of braindecode, frozen", Path(place).expanduser(), "check the folder"
        self._asked = f"foundation encoder {asked}"
        if not self.name or not place:
            raise ConfigError(self._asked, "no class and folder", "write CLASS=FOLDER, such as Labram=weights/labram")
        try:
            self._kind = getattr(importlib.import_module("braindecode.models"), self.name)
        except ImportError:
            raise ConfigError(self._asked, "braindecode is not installed", INSTALL) from None
        except AttributeError:
            found = f"braindecode has no class {self.name}"
            raise ConfigError(self._asked, found, "see braindecode.models for their names") from None
        try:
            self._config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            blob = (folder / "model.safetensors").read_bytes()
            self._state = load(blob)
        except FileNotFoundError as error:
            raise WeightsError(self._asked, f"no {Path(error.filename).name}", fix) from None
        except (OSError, ValueError, SafetensorError) as error:
            raise WeightsError(self._asked, f"unreadable: {error}", fix) from None
        self.sfreq = float(self._config.get("sfreq") or SFREQ)
        self.depends: list[object] = [self.name, hashlib.sha256(blob).hexdigest(), self._config, torch.__version__]

    @torch.inference_mode()
    def __call__(self, unit: Unit, ends: np.ndarray, chans: np.ndarray) -> np.ndarray:
        """Features (n, 1, F); see `ProbeFeatures`. Bad electrodes are zero."""
        names = [unit.person.info.ch_names[i] for i in chans]
        ours = round(unit.spec.patch_sfreq)
        up, down = round(self.sfreq) // gcd(round(self.sfreq), ours), ours // gcd(round(self.sfreq), ours)
        x = unit.patches(ends, chans, scaled=self.name not in PER_UV) * PER_UV.get(self.name, 1.0)
        x = (x * unit.good(ends, chans)[..., None, None]).reshape(*x.shape[:2], -1)
        signal = torch.from_numpy(resample_poly(x, up, down, axis=-1).astype(np.float32))
        try:
            model = self._model(names, signal.shape[-1])
            by_name = {"ch_names": names} if "ch_names" in inspect.signature(model.forward).parameters else {}
            found = [model(some, return_features=True, **by_name)["features"] for some in signal.split(BLOCK)]
        except (RuntimeError, TypeError, ValueError) as error:
            lines = str(error).splitlines() or [type(error).__name__]
            about = f"it does not fit {len(names)} electrodes and {signal.shape[-1]} samples: {lines[0]}"
            raise WeightsError(self._asked, about, "use weights for this window, or another encoder") from None
        every = torch.cat(found)
        return (every.flatten(1, -2).mean(1) if every.ndim > 2 else every).numpy()[:, None]

    def _model(self, names: list[str], n_times: int) -> torch.nn.Module:
        info = mne.create_info(names, self.sfreq, "eeg")
        places = dict(zip(names, HEAD_M * locate(names), strict=True))
        info.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
        about = {key: value for key, value in self._config.items() if key != "input_window_seconds"}
        about |= {"n_chans": len(names), "chs_info": info["chs"], "n_times": n_times, "sfreq": self.sfreq}
        model: torch.nn.Module = self._kind(**({"n_outputs": 2} | about)).eval()
        missing, unknown = model.load_state_dict(self._without_head(), strict=False)
        if lacking := [key for key in missing if not key.startswith(HEAD)] + unknown:
            raise WeightsError(self._asked, f"its weights are another encoder's: {lacking[0]}", "check the folder")
        return model

    def _without_head(self) -> dict[str, torch.Tensor]:
        return {key: value for key, value in self._state.items() if not key.startswith(HEAD)}
