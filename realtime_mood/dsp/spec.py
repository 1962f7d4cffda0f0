"""Definition of the features: bands, hop, context and limits; stored with the weights."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from ..errors import StreamMismatch
from ..files import Strict

BANDS = {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 14.0), "beta": (14.0, 31.0), "gamma": (31.0, 45.0)}

MAX_SFREQ = 20_000.0  # no EEG amplifier samples faster; a minute at higher rates would fill the memory


Repair = Literal["none", "eog"]


class FeatureSpec(Strict):
    """Features that a network was trained on and must be given. Frequencies in Hz, durations in seconds."""

    bands: dict[str, tuple[float, float]] = BANDS
    highpass_hz: float = 0.5
    hop_s: float = 0.25  # there is one reading per hop
    step_s: float = 1.0  # there is one DE vector per step; a whole number of hops
    n_steps: int = 10
    patch_s: float = 1.0
    n_patches: int = 4
    patch_sfreq: float = 128.0  # rate of the raw patches of the network, independent of the headset's
    settle_s: float = 4.0
    """How long the filters take to settle after a start or a long gap; their output is not used until then."""
    max_hole_s: float = 0.25  # longer gaps restart the filters; shorter ones are interpolated for the filters only
    max_hole_share: float = 0.1  # a step or patch with more than this share of its samples missing is masked
    max_masked: float = 0.2  # with more than this share of the context masked there is no estimate
    repair: Repair = "none"  # of blinks: see `dsp.repair`

    @model_serializer(mode="wrap")
    def _stored(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what older files do not have, where it is not used: their digests stay the same."""
        stored: dict[str, Any] = handler(self)
        if self.repair == "none":
            stored.pop("repair", None)
        return stored

    @property
    def n_bands(self) -> int:
        return len(self.bands)

    @property
    def patch_len(self) -> int:
        return round(self.patch_s * self.patch_sfreq)

    @property
    def hops_per_step(self) -> int:
        return round(self.step_s / self.hop_s)

    @property
    def context_s(self) -> float:
        """Least settled signal that an estimate needs: the raw patches (s)."""
        return self.n_patches * self.patch_s

    def grid(self, k: int, sfreq: float) -> int:
        """The sample at which reading `k` ends; computed from zero each time, so that it does not drift."""
        return round(k * self.hop_s * sfreq)

    def check(self, sfreq: float) -> None:
        """Raise `StreamMismatch` when `sfreq` is too low for the highest band, or too high for EEG."""
        if sfreq > MAX_SFREQ:
            asked = f"a stream of at most {MAX_SFREQ:g} Hz"
            raise StreamMismatch(asked, f"this one has {sfreq:g} Hz", "lower its sampling rate")
        name, (_, top) = max(self.bands.items(), key=lambda band: band[1][1])
        if sfreq < 2.2 * top:
            asked = f"{name} up to {top:g} Hz needs at least {2.2 * top:g} Hz"
            raise StreamMismatch(asked, f"the stream has {sfreq:g} Hz", "raise the headset's sampling rate")
