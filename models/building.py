"""Pipelines from a run's configuration; weights and profile are loaded once for all streams."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from realtime_mood import __version__
from realtime_mood.api.options import ReadingOptions
from realtime_mood.baseline import BaselineWatch
from realtime_mood.contracts import Network, NetworkProvider
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population, Statistics
from realtime_mood.errors import ConfigError, MoodError, PluginError, WeightsError
from realtime_mood.estimator import Measuring, MoodEstimator
from realtime_mood.files import Strict
from realtime_mood.pipeline import ARTEFACTS, BATCH, LEARNS, Pipeline
from realtime_mood.plugins import Plugin, find, made, read_options, split
from realtime_mood.profile import Normaliser, Profile
from realtime_mood.readout import Readout
from realtime_mood.types import Array, Features, StreamInfo

from .network import Inference, ReaderNetwork

UNKNOWN = Population(np.full(5, 2.5), np.full(5, 0.3))  # initial statistics where the network failed before it gave any
NEEDED = ("readout", "least_confidence", "notes", "population")


class GuardedWeights:
    """The `NetworkProvider` of another package; a broken one makes networks that fail at each reading."""

    def __init__(self, plugin: Plugin, url: str, target: str, query: dict[str, str]) -> None:
        self._plugin = plugin
        self._weights: NetworkProvider | None = None
        self._error: PluginError | None = None
        try:
            self._weights = made(plugin, url, target, query)
        except PluginError as error:
            self._error = error

    @property
    def spec(self) -> FeatureSpec:
        """The features it asks for; the default where it does not specify them."""
        spec = getattr(self._weights, "spec", None)
        return spec if isinstance(spec, FeatureSpec) else FeatureSpec()

    @property
    def sha256(self) -> str:
        """Hash of its version, or empty."""
        return str(getattr(self._weights, "sha256", ""))

    def network(self, info: StreamInfo, readout: str, profile: object | None) -> GuardedNetwork:
        """Its network on a stream; passes on a `MoodError`, which it raises on purpose."""
        try:
            if self._weights is None:
                raise self._error or PluginError(str(self._plugin), "it was not made")
            network = self._weights.network(info, readout, profile)
            if missing := [name for name in NEEDED if not hasattr(network, name)]:
                raise PluginError(str(self._plugin), f"its network has no {missing[0]}", "see docs/plugins.md")
            shape = (self.spec.n_bands,)
            if not np.shape(network.population.mean) == np.shape(network.population.sd) == shape:
                found = f"its population is not of {shape[0]} bands"
                raise PluginError(str(self._plugin), found, "see docs/plugins.md")
        except PluginError as error:
            return GuardedNetwork(self._plugin, None, error)
        except MoodError:
            raise
        except Exception as error:
            return GuardedNetwork(self._plugin, None, self._plugin.error("it made no network", error))
        return GuardedNetwork(self._plugin, network)


class GuardedNetwork:
    """One network of another package on one stream."""

    def __init__(self, plugin: Plugin, network: Network | None, error: PluginError | None = None) -> None:
        self._plugin, self._network, self._error = plugin, network, error
        self.readout: Readout = network.readout if network else Readout(plugin.name, ("none",), ((0, 0),), "own")
        self.least_confidence = network.least_confidence if network else 0.0
        self.population = network.population if network else UNKNOWN

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._network.notes) if self._network else (str(self._error),)

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities and attention; raises `PluginError` for any failure or invalid value."""
        if self._network is None:
            raise self._error or PluginError(str(self._plugin), "no network")
        try:
            probs, attention = self._network(features)
            probs, attention = tuple(map(float, probs)), np.asarray(attention, np.float32)
        except Exception as error:
            raise self._plugin.error("it failed", error) from error
        if wrong := self._wrong(probs, attention, features):
            raise PluginError(str(self._plugin), wrong, "see docs/plugins.md")
        return probs, attention

    def unfamiliarity(self, features: Features, normal: Features) -> float:
        """That of a network that measures it; NaN for others. Raises `PluginError` where it fails."""
        if not isinstance(self._network, Measuring):
            return math.nan
        try:
            return float(self._network.unfamiliarity(features, normal))
        except Exception as error:
            raise self._plugin.error("it failed", error) from error

    def _wrong(self, probs: tuple[float, ...], attention: Any, features: Features) -> str:
        labels, shape = self.readout.labels, features.de.shape[1:]
        if len(probs) != len(labels):
            return f"it gave {len(probs)} probabilities for {len(labels)} labels"
        if all(map(math.isfinite, probs)) and (min(probs) < 0 or abs(sum(probs) - 1) > 1e-3):
            return f"its probabilities are no distribution: {', '.join(f'{p:g}' for p in probs)}"
        return "" if attention.shape == shape else f"it gave attention of shape {attention.shape}, not {shape}"


class ReaderOptions(Strict):
    """What may stand after ``reader://WEIGHTS?``: where and by what the network runs."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    runtime: Literal["auto", "torch", "onnx"] = "auto"


def available_runtime(asked: str) -> str:
    """The runtime that was asked for, ``auto``, ``torch`` or ``onnx``; without torch there is only ``onnx``."""
    return asked if find_spec("torch") else "onnx"


def choose_runtime(asked: str = "auto") -> str:
    """The runtime, ``torch`` or ``onnx``; ``auto`` is torch where it is installed."""
    return available_runtime("torch") if asked == "auto" else asked


def load_inference(weights: str, device: str = "auto", runtime: str = "auto") -> Inference:
    """Weights by name or folder, ready to run; an unavailable device is reported before loading.

    Raises `ConfigError` for the device or a torch that is not installed, and `WeightsError` for the weights.
    """
    if choose_runtime(runtime) == "onnx":
        from . import onnx_runtime

        onnx_runtime.choose_device(device)
        return onnx_runtime.OnnxInference(weights)
    try:
        from .checkpoint import load_weights  # torch takes a second to import
        from .runtime import TorchInference, choose_device
    except ModuleNotFoundError as error:
        do = "pip install 'realtime-mood[torch]', or use --runtime onnx"
        raise ConfigError("runtime 'torch'", f"the package {error.name} is not installed", do) from None
    where = choose_device(device)
    return TorchInference(load_weights(weights), where)


class ReaderWeights:
    """Loaded weights of the reader, by the name of shipped ones or a folder: a `NetworkProvider`."""

    Options = ReaderOptions

    def __init__(self, target: str, options: ReaderOptions = ReaderOptions()) -> None:  # noqa: B008 - frozen
        self._target, self._options = target, options
        self._inference = load_inference(target, options.device, options.runtime)

    @property
    def spec(self) -> FeatureSpec:
        return self._inference.card.spec

    @property
    def sha256(self) -> str:
        return self._inference.card.hashes[0]

    @property
    def hashes(self) -> tuple[str, ...]:
        """The same, and those of earlier files with the same outputs."""
        return self._inference.card.hashes

    def network(self, info: StreamInfo, readout: str, profile: Profile | None) -> ReaderNetwork:
        """The network on this stream; raises `ConfigError` or `ProfileError`."""
        chosen = choose_readout(readout, profile, info, tuple(self._inference.card.readouts))
        return ReaderNetwork(self._inference if info.paced else self._for_batches, chosen, info, profile)

    @cached_property
    def _for_batches(self) -> Inference:
        """What reads streams without pace: ONNX Runtime, where the choice is free, because its batches are faster."""
        if self._options.runtime == "auto" and self._inference.runs_on == "cpu" and find_spec("onnxruntime"):
            with suppress(WeightsError):  # weights of your own may not have the file
                return load_inference(self._target, "cpu", "onnx")
        return self._inference

    @property
    def held_out(self) -> dict[str, dict[str, Any]]:
        """The `HeldOutResult` of each readout that was trained on a data set, by name."""
        found = {name: self._inference.card.held_out(name) for name in self._inference.card.readouts}
        return {name: asdict(result) for name, result in found.items() if result}


def open_weights(weights: str, device: str = "auto", runtime: str = "auto") -> ReaderWeights | GuardedWeights:
    """Weights by name or folder, or by the URL of a registered network.

    Raises `ConfigError` for an unknown network, option or device, `WeightsError` where weights cannot be read.
    """
    given = {"device": device, "runtime": runtime}
    if "://" not in weights:
        return ReaderWeights(weights, read_options(ReaderOptions, weights, given, "weights"))
    scheme, target, query = split(weights, "weights")
    plugin = find("networks", scheme, f"weights {weights!r}")
    if plugin.is_built_in:
        loaded: ReaderWeights = made(plugin, weights, target, {**given, **query})
        return loaded
    return GuardedWeights(plugin, weights, target, query)


class PipelineBuilder:
    """Loads weights and profile, unless one is given; called with a stream's info, returns its pipeline."""

    def __init__(self, config: ReadingOptions, profile: Profile | None = None) -> None:
        self._config = config
        self._weights = open_weights(config.weights, config.device, config.runtime)
        self._profile = Profile.load(config.profile) if config.profile else profile

    def __call__(self, info: StreamInfo) -> Pipeline:
        spec = self._weights.spec.model_copy(update={"repair": self._config.repair})
        if self._profile:  # first, because the network depends on the baseline
            self._profile.check(info, spec)
        network = self._weights.network(info, self._config.readout, self._profile)
        population = network.population
        if self._profile:
            start = self._profile.statistics(info, spec, population.sd)
        else:
            start = Statistics.of_population(population.mean, population.sd, info.n_chans)
        normaliser = Normaliser(start, info.sfreq, frozen=self._profile is not None)
        watch = BaselineWatch(self._profile, info, spec, population.sd) if self._profile else None
        estimator = MoodEstimator(info, network, normaliser, spec.step_s, watch)
        return Pipeline(info, spec, estimator, self._config.notches, repair_notes(spec, self._weights.spec))

    def same_weights(self, sha256: str) -> bool:
        """Whether weights with this hash give the same outputs as these."""
        return sha256 in (self._weights.hashes if isinstance(self._weights, ReaderWeights) else (self._weights.sha256,))

    def about(self) -> dict[str, Any]:
        """Configuration stored in a recording, sufficient to reproduce its readings."""
        profile = self._profile
        held_out = self._weights.held_out if isinstance(self._weights, ReaderWeights) else {}
        return {
            "version": __version__,
            "weights": self._config.weights,
            "sha256": self._weights.sha256,
            "runtime": available_runtime(self._config.runtime),
            "readout": self._config.readout,
            "notch": self._config.notch,
            "repair": self._config.repair,
            "profile": profile.stored() if profile else None,
            "head": b64encode(profile.head).decode() if profile and profile.head else None,
            **({"held_out": held_out} if held_out else {}),
            "batch": BATCH,
            **LEARNS,
            **ARTEFACTS,
        }


def repair_notes(spec: FeatureSpec, trained: FeatureSpec) -> tuple[str, ...]:
    """What is to be said of the repair of a run, and of that of the weights' training."""
    if spec.repair == trained.repair:
        return (f"repair of the signal: {spec.repair}",) if spec.repair != "none" else ()
    return (f"repair of the signal: {spec.repair}; the network was trained with: {trained.repair}",)


def choose_readout(asked: str, profile: Profile | None, info: StreamInfo, known: Sequence[str]) -> str:
    """The readout asked for; ``auto`` is the profile's, else the only one, else that for the source."""
    if asked != "auto":
        return asked
    if profile and (own := profile.own.name if profile.own else profile.readout):
        return own
    if len(known) == 1:
        return known[0]
    return "emotion3" if info.virtual else "effort"
