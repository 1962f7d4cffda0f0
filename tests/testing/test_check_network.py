"""The check of networks fails one that is wrong in the way it is there to find."""

from __future__ import annotations

import time

import numpy as np
import pytest
from fakes import FakeNetwork

from realtime_mood.testing import Violation, check_network
from realtime_mood.types import Readout


class Network(FakeNetwork):
    """A network with something changed."""

    def __init__(self, **changes):
        super().__init__()
        for name, value in changes.items():
            setattr(self, name, value)


def answering(answer):
    class Answering(FakeNetwork):
        def __call__(self, features):
            return answer(self, features, super().__call__(features))

    return Answering


def reads_masked(self, features, right):
    features.de[features.step_mask] = 0
    return right


def drifts(self, features, right):
    p = 0.5 + 0.001 * len(self.seen)
    return (p, 1 - p), right[1]


def by_chance(self, features, right):
    p = float(np.random.default_rng().uniform())
    return (p, 1 - p), right[1]


NETWORKS = {
    "one label": (lambda: Network(readout=Readout("a", ("rest",), (), "real")), "two or more"),
    "places that are missing": (lambda: Network(readout=Readout("a", ("x", "y"), ((0, 0),), "real")), "valence"),
    "unknown evidence": (lambda: Network(readout=Readout("a", ("x", "y"), (), "sure")), "evidence"),
    "confidence in percent": (lambda: Network(least_confidence=60), "from 0 to 1"),
    "notes as one text": (lambda: Network(notes="all well"), "tuple of texts"),
    "too few probabilities": (answering(lambda s, f, r: ((1.0,), r[1])), "1 for 2 labels"),
    "logits": (answering(lambda s, f, r: ((2.0, -1.0), r[1])), "sum 1"),
    "no number": (answering(lambda s, f, r: ((float("nan"), 1.0), r[1])), "sum 1"),
    "attention transposed": (answering(lambda s, f, r: (r[0], r[1].T)), "attention"),
    "attention unscaled": (answering(lambda s, f, r: (r[0], 8 * r[1])), "attention"),
    "no attention": (answering(lambda s, f, r: r[0]), "tuple|attention"),
    "features changed": (answering(reads_masked), "read-only"),
    "a memory": (answering(drifts), "remember nothing"),
    "chance": (answering(by_chance), "draw nothing"),
    "too slow": (answering(lambda s, f, r: time.sleep(0.4) or r), "it takes"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_wrong_network_fails(name):
    make, words = NETWORKS[name]
    with pytest.raises(Violation, match=words):
        check_network(lambda info: make())
