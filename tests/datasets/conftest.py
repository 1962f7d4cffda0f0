"""Simulated data sets, written once for all tests: read them, and change only copies."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from quick_person import QuickPerson

from realtime_mood.models.datasets.fixtures import clips, files, seed_family, writer_of

Written = Callable[..., Path]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The folder of a simulated data set by name; two subjects of a quick kind."""

    @cache
    def write(name: str, n_subjects: int = 2, seconds: float = 2.0) -> Path:
        root = tmp_path_factory.mktemp("sets") / name
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clips, "VirtualPerson", QuickPerson)
            patch.setattr(files, "VirtualPerson", QuickPerson)
            patch.setattr(seed_family, "RAW_SFREQ", 200)  # instead of 1000: files of a fifth
            writer_of(name)(root, n_subjects, 3, seconds)
        return root

    return write
