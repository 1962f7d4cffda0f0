"""Checks of what is installed: Python, the packages and their versions, and the system libraries of the window."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version as Release

from ..gui import desktop
from ..language import Phrase
from .finding import Finding, Level
from .processes import read

NAME = "realtime-mood"
OTHER_PLUGINS = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_PLUGIN_PATH")  # set by OpenCV and others: their Qt does not fit
TESTED = Path(__file__).parents[2] / "constraints.txt"  # the versions of `make setup`; in a clone only
Version = Callable[[str], str]


def python(requires: str | None = None, version: str = platform.python_version()) -> list[Finding]:
    """Whether this Python is new enough; `requires` is the range of pyproject.toml, as the metadata have it."""
    if requires is None:
        requires = metadata.metadata(NAME)["Requires-Python"]
    if SpecifierSet(requires or "").contains(Release(version).base_version):  # as pip: Ubuntu 22.04 has 3.11.0rc1
        return [Finding("python", Level.OK, f"Python {version}")]
    found = Phrase("Python {version}, and {range} is needed", version=version, range=requires)
    do = Phrase("install a Python {range}, then `make setup PYTHON=python3.12`", range=requires)
    return [Finding("python", Level.WRONG, found, do)]


def packages(
    requires: Iterable[str] | None = None, version_of: Version = metadata.version, tested: Path = TESTED
) -> list[Finding]:
    """Whether every package has a version in the range of pyproject.toml; extras that are not installed are named.

    So are the packages that have another version than the `tested` one.

    `requires` are the requirements with their extras, as the metadata have them; `version_of` raises
    `PackageNotFoundError`.
    """
    core: list[Requirement] = []
    extras: dict[str, list[Requirement]] = {}
    for one in map(Requirement, (metadata.requires(NAME) or ()) if requires is None else requires):
        extra = _extra_of(one)
        if one.marker is None or one.marker.evaluate({"extra": extra}):  # others are for another system
            (extras.setdefault(extra, []) if extra else core).append(one)
    for of_others in ("all", "dev", "light"):
        extras.pop(of_others, None)
    findings = []
    if missing := [one.name for one in core if _version(one, version_of) is None]:
        do = Phrase("pip install {packages}, or `make setup`", packages=" ".join(missing))
        findings.append(Finding("packages", Level.WRONG, Phrase("not installed: {packages}", packages=missing), do))
    there = {one.name for ones in (core, *extras.values()) for one in ones if _version(one, version_of)}
    lacking = sorted(name for name, ones in extras.items() if not {one.name for one in ones} <= there)
    asked = [core, *(ones for name, ones in extras.items() if name not in lacking)]
    known = {(one.name, str(one.specifier)): one for ones in asked for one in ones if one.name in there}.values()
    if odd := [one for one in known if not _fits(one, version_of)]:
        of = [Phrase("{package} {version}, and {range} is needed", package=one.name, version=_version(one, version_of),
                     range=str(one.specifier)) for one in odd]  # fmt: skip
        line = " ".join(f"'{one.name}{one.specifier}'" for one in odd)
        findings.append(
            Finding(
                "packages",
                Level.WARNING,
                Phrase("versions that do not fit: {packages}", packages=of),
                f"pip install {line}",
            )
        )
    if not findings:
        found = Phrase("{n} packages in their ranges", n=len({one.name for one in known}))
        if lacking:
            found = Phrase("{all}; not installed extras: {extras}", all=found, extras=lacking)
        if others := [*_untested(list(known), tested, version_of)]:
            found = Phrase("{all}; other versions than the tested ones: {packages}", all=found, packages=others)
        findings.append(Finding("packages", Level.OK, found))
    return findings


def window(
    environment: Mapping[str, str] = os.environ, load: desktop.Load = ctypes.CDLL, system: str = sys.platform
) -> list[Finding]:
    """Whether the window can be opened: the display, Qt's system libraries, its Python packages."""
    has_display = system in ("win32", "darwin") or any(environment.get(it) for it in ("DISPLAY", "WAYLAND_DISPLAY"))
    if not has_display and not environment.get("QT_QPA_PLATFORM"):
        lacking = desktop.missing("xcb", load)
        found = Phrase("no display here, so the terminal view is shown")
        if not lacking:
            return [Finding("window", Level.OK, found)]
        found = Phrase("{terminal}; on a desktop it would need {libraries}", terminal=found, libraries=lacking)
        return [Finding("window", Level.OK, found, desktop.install_line(lacking))]
    trouble, line = desktop.trouble_and_line(environment, load)
    if trouble:
        do = line or Phrase("start it on the desktop, or use --view terminal")
        return [Finding("window", Level.WARNING, trouble, do)]
    if names := [name for name in OTHER_PLUGINS if environment.get(name)]:
        found = Phrase("{names} may make Qt load the plugins of another program", names=names)
        return [Finding("window", Level.WARNING, found, f"unset {' '.join(names)}")]
    return [Finding("window", Level.OK, Phrase("the window can be opened"))]


def _extra_of(requirement: Requirement) -> str:
    found = re.search(r"extra == ['\"]([\w-]+)['\"]", str(requirement.marker or ""))
    return found[1] if found else ""


def _version(requirement: Requirement, version_of: Version) -> str | None:
    try:
        return version_of(requirement.name)
    except metadata.PackageNotFoundError:
        return None


def _untested(known: Iterable[Requirement], tested: Path, version_of: Version) -> Iterator[str]:
    pins = dict(re.findall(r"^([\w.-]+)==([^\s;+]+)", read(tested), re.MULTILINE))
    for one in {it.name: it for it in known}.values():
        version, pin = _version(one, version_of), pins.get(one.name)
        if version and pin and version.partition("+")[0] != pin:
            yield f"{one.name} {version} ({pin})"


def _fits(requirement: Requirement, version_of: Version) -> bool:
    return requirement.specifier.contains(_version(requirement, version_of) or "", prereleases=True)
