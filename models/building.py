"""Builds pipelines from a run's configuration: weights and a subject's profile are loaded once, for any stream."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from realtime_mood import __version__
from realtime_mood.api.options import ReadingOptions
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Statistics
from realtime_mood.estimator import MoodEstimator
from realtime_mood.pipeline import LEARNS, Pipeline
from realtime_mood.plugins import find, made, read_options, split
from realtime_mood.profile import Normaliser, Profile
from realtime_mood.types import StreamInfo

from .checkpoint import load_weights
from .networks import GuardedWeights
from .runtime import Inference, ReaderNetwork, choose_device


class ReaderOptions(BaseModel):
    """What may stand after ``reader://WEIGHTS?``: where the network runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Literal["auto", "cpu", "cuda"] = "auto"


class ReaderWeights:
    """Weights of the reader, loaded: a `NetworkProvider`.

    Parameters
    ----------
    target : str
        A name of shipped weights, or a folder.
    options : ReaderOptions
    """

    Options = ReaderOptions

    def __init__(self, target: str, options: ReaderOptions = ReaderOptions()) -> None:  # noqa: B008 - frozen
        device = choose_device(options.device)
        self._inference = Inference(load_weights(target), device)

    @property
    def spec(self) -> FeatureSpec:
        return self._inference.card.spec

    @property
    def sha256(self) -> str:
        return self._inference.card.sha256["model.safetensors"]

    def network(self, info: StreamInfo, readout: str, profile: Profile | None) -> ReaderNetwork:
        """The network on this stream; raises `ConfigError` or `ProfileError`."""
        return ReaderNetwork(self._inference, choose_readout(readout, profile, info), info, profile)


def open_weights(weights: str, device: str = "auto") -> ReaderWeights | GuardedWeights:
    """Weights by name or folder, or by the URL of a network that is registered.

    Raises
    ------
    ConfigError
        No such network, option or device.
    WeightsError
        The reader's weights cannot be read.
    """
    if "://" not in weights:
        return ReaderWeights(weights, read_options(ReaderOptions, weights, {"device": device}, "weights"))
    scheme, target, query = split(weights, "weights")
    plugin = find("networks", scheme, f"weights {weights!r}")
    if plugin.is_built_in:
        loaded: ReaderWeights = made(plugin, weights, target, {"device": device, **query})
        return loaded
    return GuardedWeights(plugin, weights, target, query)


class PipelineBuilder:
    """Loads weights and profile at once, unless it is given one; called with a stream's info, makes its pipeline."""

    def __init__(self, config: ReadingOptions, profile: Profile | None = None) -> None:
        self._config = config
        self._weights = open_weights(config.weights, config.device)
        self._profile = Profile.load(config.profile) if config.profile else profile

    def __call__(self, info: StreamInfo) -> Pipeline:
        spec = self._weights.spec
        if self._profile:  # first of all: what is wrong with the baseline is wrong with everything on it
            self._profile.check(info, spec)
        network = self._weights.network(info, self._config.readout, self._profile)
        population = network.population
        if self._profile:
            start = self._profile.statistics(info, spec, population.sd)
        else:
            start = Statistics.of_population(population.mean, population.sd, info.n_chans)
        normaliser = Normaliser(start, info.sfreq, frozen=self._profile is not None)
        estimator = MoodEstimator(info, network, normaliser, spec.step_s)
        return Pipeline(info, spec, estimator, self._config.notches)

    def about(self) -> dict[str, Any]:
        """Configuration stored in a recording, sufficient to reproduce its readings."""
        profile = self._profile
        return {
            "version": __version__,
            "weights": self._config.weights,
            "sha256": self._weights.sha256,
            "readout": self._config.readout,
            "notch": self._config.notch,
            "profile": profile.stored() if profile else None,
            "head": b64encode(profile.head).decode() if profile and profile.head else None,
            **LEARNS,
        }


def choose_readout(asked: str, profile: Profile | None, info: StreamInfo) -> str:
    """``auto`` is the profile's own, else what was trained on subjects of this kind."""
    if asked != "auto":
        return asked
    if profile and profile.own:
        return profile.own.name
    if profile and profile.readout:
        return profile.readout
    return "emotion3" if info.virtual else "effort"
