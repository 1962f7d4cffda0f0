"""Waiting for a state, as `realtime_mood.testing` offers it."""

from realtime_mood.testing import until

__all__ = ["until"]
