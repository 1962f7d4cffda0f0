"""Turns what a run asks for into pipelines: weights and a person's profile, loaded once, for any stream."""

from __future__ import annotations

from base64 import b64encode
from importlib.metadata import version
from typing import Any

from realtime_mood.api.options import ReadingOptions
from realtime_mood.entropy import Statistics
from realtime_mood.estimator import MoodEstimator
from realtime_mood.pipeline import LEARNS, Pipeline
from realtime_mood.profile import Normaliser, Profile
from realtime_mood.types import StreamInfo

from .checkpoint import load_weights
from .runtime import Inference, ReaderNetwork, choose_device


class PipelineBuilder:
    """Loads weights and profile at once, unless it is given one; called with a stream's info, makes its pipeline."""

    def __init__(self, config: ReadingOptions, profile: Profile | None = None) -> None:
        self._config = config
        device = choose_device(config.device)
        self._inference = Inference(load_weights(config.weights), device)
        self._profile = Profile.load(config.profile) if config.profile else profile

    def __call__(self, info: StreamInfo) -> Pipeline:
        spec = self._inference.card.spec
        readout = choose_readout(self._config.readout, self._profile, info)
        if self._profile:  # first of all: what is wrong with the baseline is wrong with everything on it
            self._profile.check(info, spec)
        network = ReaderNetwork(self._inference, readout, info, self._profile)
        population = network.population
        if self._profile:
            start = self._profile.statistics(info, spec, population.sd)
        else:
            start = Statistics.of_population(population.mean, population.sd, info.n_chans)
        normaliser = Normaliser(start, info.sfreq, frozen=self._profile is not None)
        estimator = MoodEstimator(info, network, normaliser, spec.step_s)
        return Pipeline(info, spec, estimator, self._config.notches)

    def about(self) -> dict[str, Any]:
        """What made the readings of a recording: enough to make them again."""
        card, profile = self._inference.card, self._profile
        return {
            "version": version("realtime-mood"),
            "weights": self._config.weights,
            "sha256": card.sha256["model.safetensors"],
            "readout": self._config.readout,
            "notch": self._config.notch,
            "profile": profile.stored() if profile else None,
            "head": b64encode(profile.head).decode() if profile and profile.head else None,
            **LEARNS,
        }


def choose_readout(asked: str, profile: Profile | None, info: StreamInfo) -> str:
    """``auto`` is the profile's own, else what was trained on people of this kind."""
    if asked != "auto":
        return asked
    if profile and profile.own:
        return profile.own.name
    if profile and profile.readout:
        return profile.readout
    return "emotion3" if info.virtual else "effort"
