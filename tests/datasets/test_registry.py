"""The registry of readers: every entry can be imported, and an unknown name is refused with those that exist."""

from __future__ import annotations

import pytest

from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.fixtures import WRITERS, writer_of
from realtime_mood.models.datasets.sets import READERS, reader_of
from realtime_mood.models.evaluation.interpretation_page import MEANINGS


@pytest.mark.parametrize("name", READERS)
def test_every_reader_is_there_and_says_its_own_name(name: str) -> None:
    info = reader_of(name).info
    assert info.name == name
    assert info.licence
    assert info.access
    assert info.page.startswith("https://")
    assert "doi" in info.paper.lower()
    assert info.baseline in ("rest", "pre-clip", "neutral", "none")
    assert info.labels_mean in MEANINGS  # translated


@pytest.mark.parametrize("name", ["eegmat", "sam40", "ssvep-exo", "dasps"])
def test_a_set_of_tasks_does_not_claim_to_evoke_anything(name: str) -> None:
    assert reader_of(name).info.labels_mean == "what the subject was asked to do"


@pytest.mark.parametrize("name", READERS)
def test_every_reader_has_a_writer(name: str) -> None:
    assert name in WRITERS
    assert callable(writer_of(name))


@pytest.mark.parametrize("find", [reader_of, writer_of])
def test_an_unknown_name_is_refused_with_those_that_exist(find) -> None:
    with pytest.raises(ConfigError, match="'faces' · unknown · choose one of "):
        find("faces")
