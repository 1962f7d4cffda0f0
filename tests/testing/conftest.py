"""Short deadlines, and threads that outlive a part, for the tests of the checks."""

from __future__ import annotations

import threading

import pytest

from realtime_mood.testing import sources, waiting


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch):
    monkeypatch.setattr(waiting, "THREADS_S", 0.2)
    monkeypatch.setattr(sources, "AWAY_S", 0.5)


@pytest.fixture
def background():
    """Starts threads that outlive a part, and ends them with the test."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> None:
        threads.append(threading.Thread(target=over.wait, daemon=True))
        threads[-1].start()

    yield start
    over.set()
    for thread in threads:
        thread.join()
