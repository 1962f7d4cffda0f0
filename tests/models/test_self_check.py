"""What `doctor` calls in a child process: both runtimes compute the golden pair, or say why not."""

from __future__ import annotations

import pytest

from realtime_mood.errors import WeightsError
from realtime_mood.models.card import DEFAULT
from realtime_mood.models.self_check import by_onnx, by_torch


def test_both_runtimes_compute_the_golden_pair():
    about = by_torch(DEFAULT)
    assert by_onnx(DEFAULT) == DEFAULT
    assert about.keys() == {"version", "cuda", "gpu", "failed"}
    assert not about["failed"]


@pytest.mark.parametrize("check", [by_onnx, by_torch])
def test_weights_that_are_not_there_are_an_error(check, tmp_path):
    with pytest.raises(WeightsError):
        check(str(tmp_path))
