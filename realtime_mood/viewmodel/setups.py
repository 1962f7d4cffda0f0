"""Named setups as the window needs them."""

from __future__ import annotations

from typing import Protocol

from ..language import _
from .actions import RunRequest

LAST = "last"  # the name under which the newest source and its options are remembered


class Setups(Protocol):
    """Sources with their options, saved by name. Methods that read or write raise `ConfigError` or `OSError`."""

    @property
    def weights(self) -> str:
        """The name of the network in use."""

    def listed(self) -> list[tuple[str, str]]:
        """Name and source of each that can be read; `LAST` first."""

    def save(self, name: str, request: RunRequest) -> None:
        """Save the source of `request`, the streams beside it, and the options in use; replaces one of that name."""

    def use(self, name: str) -> RunRequest:
        """Take over the options of a setup; returns what to start."""


def title_of(name: str) -> str:
    """The name of a setup as it is shown."""
    return _("Last used") if name == LAST else name
