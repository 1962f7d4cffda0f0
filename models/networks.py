"""A network of another package under guard: whatever it raises costs one reading, and its package is named."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from realtime_mood.contracts import Network, NetworkProvider
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population
from realtime_mood.errors import MoodError, PluginError
from realtime_mood.plugins import Plugin, made
from realtime_mood.types import Array, Features, Readout, StreamInfo

UNKNOWN = Population(np.full(5, 2.5), np.full(5, 0.3))
"""Where a subject starts whose network failed before it said where."""
NEEDED = ("readout", "least_confidence", "notes", "population")


class GuardedWeights:
    """The `NetworkProvider` of another package; one that is broken makes networks that fail at each reading.

    Parameters
    ----------
    plugin : Plugin
    url, target, query
        As the weights were asked for.
    """

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
        """The features it asks for; the usual ones where it says nothing."""
        spec = getattr(self._weights, "spec", None)
        return spec if isinstance(spec, FeatureSpec) else FeatureSpec()

    @property
    def sha256(self) -> str:
        """What tells its version, where it has any."""
        return str(getattr(self._weights, "sha256", ""))

    def network(self, info: StreamInfo, readout: str, profile: object | None) -> GuardedNetwork:
        """Its network on a stream; raises what it raises on purpose (`MoodError`)."""
        try:
            if self._weights is None:
                raise self._error or PluginError(str(self._plugin), "it was not made")
            network = self._weights.network(info, readout, profile)
            if missing := [name for name in NEEDED if not hasattr(network, name)]:
                raise PluginError(str(self._plugin), f"its network has no {missing[0]}", "see docs/plugins.md")
            shape = (self.spec.n_bands,)
            if not np.shape(network.population.mean) == np.shape(network.population.sd) == shape:
                raise PluginError(
                    str(self._plugin), f"its population is not of {shape[0]} bands", "see docs/plugins.md"
                )
        except PluginError as error:
            return GuardedNetwork(self._plugin, None, error)
        except MoodError:
            raise
        except Exception as error:
            return GuardedNetwork(self._plugin, None, self._plugin.error("it made no network", error))
        return GuardedNetwork(self._plugin, network)


class GuardedNetwork:
    """One network of another package on one stream. Made by `GuardedWeights`."""

    def __init__(self, plugin: Plugin, network: Network | None, error: PluginError | None = None) -> None:
        self._plugin, self._network, self._error = plugin, network, error
        self.readout: Readout = network.readout if network else Readout(plugin.name, ("none",), ((0, 0),), "own")
        self.least_confidence = network.least_confidence if network else 0.0
        self.population = network.population if network else UNKNOWN

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._network.notes) if self._network else (str(self._error),)

    def __call__(self, features: Features) -> tuple[tuple[float, ...], Array]:
        """Probabilities and attention; raises `PluginError` for whatever is wrong with them."""
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

    def _wrong(self, probs: tuple[float, ...], attention: Any, features: Features) -> str:
        labels, shape = self.readout.labels, features.de.shape[1:]
        if len(probs) != len(labels):
            return f"it gave {len(probs)} probabilities for {len(labels)} labels"
        if all(map(math.isfinite, probs)) and (min(probs) < 0 or abs(sum(probs) - 1) > 1e-3):
            return f"its probabilities are no distribution: {', '.join(f'{p:g}' for p in probs)}"
        return "" if attention.shape == shape else f"it gave attention of shape {attention.shape}, not {shape}"
