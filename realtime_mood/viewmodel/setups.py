"""Named setups as the window needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ..language import _
from .actions import RunRequest

LAST = "last"  # the name under which the newest source and its options are remembered


class Setups(Protocol):
    """Sources with their options, saved by name. Methods that read or write raise `ConfigError` or `OSError`."""

    @property
    def weights(self) -> str:
        """The name of the network in use."""

    @property
    def settings(self) -> dict[str, str | bool]:
        """The options in use that the settings of the window have; an address is empty where nothing is sent."""

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The values that some of them may have; the network's, those that come with the program."""

    def change(self, settings: Mapping[str, str | bool]) -> None:
        """Use other settings from the next run on, and remember them."""

    def leaving(self, settings: Mapping[str, str | bool]) -> list[str]:
        """What other computers could receive with these settings, as notes of a run."""

    def listed(self) -> list[tuple[str, str]]:
        """Name and source of each that can be read; `LAST` first."""

    def unreadable(self) -> dict[str, str]:
        """Why each of the others cannot be read, by name."""

    def save(self, name: str, request: RunRequest) -> None:
        """Save the source of `request`, the streams beside it, and the options in use; replaces one of that name."""

    def rename(self, name: str, to: str) -> None:
        """Give a setup another name, which none has."""

    def delete(self, name: str) -> Callable[[], object]:
        """Delete a setup; what is returned brings it back."""

    def use(self, name: str) -> RunRequest:
        """Take over the options of a setup; returns what to start."""


def title_of(name: str) -> str:
    """The name of a setup as it is shown."""
    return _("Last used") if name == LAST else name
