"""Finds what a participant, or a retention period, asks to be removed in folders, and what has to be left there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from . import data_set
from .data_set import DataSetPart
from .kinds import CLASSIFIER, COPY, EXPORT, KINDS, REPORT, SETUP, PersonalFile, made_of, recognised

NOT_OURS = "not recognised as made by this program"
A_LINK = "a link: it is not followed"
WHOLE_WORD = r"(?<![^\W_]){}(?![^\W_])"
SEPARATORS = r"""[\s"'/\\?&=,\[\]]+"""  # of the parts of paths and URLs


@dataclass(frozen=True)
class Wanted:
    """What is to be removed: of one participant, or older than a moment, or both."""

    participant: str = ""
    before: datetime | None = None

    @cached_property
    def _names(self) -> tuple[re.Pattern[str], ...]:
        as_entity = WHOLE_WORD.format(f"sub-{self.participant}")
        alone, first = rf"{self.participant}(_[0-9]+)?\.[^.]+(\.age)?", rf"{self.participant}(?![^\W_])"
        return tuple(map(re.compile, (as_entity, alone, first)))

    def names(self, name: str) -> bool:
        """Whether a file's name is of the participant: ``…sub-ID…``, ``ID.xdf``, ``ID_2.xdf``."""
        return bool(self.participant and (self._names[0].search(name) or self._names[1].fullmatch(name)))

    def may_name(self, name: str) -> bool:
        """Whether a name begins with the participant's ID."""
        return bool(self.participant and self._names[2].match(name))

    def mentions(self, path: Path) -> bool:
        """Whether a page has a file name of the participant."""
        text = path.read_text(encoding="utf-8", errors="replace") if self.participant else ""
        return bool(self.participant and self._names[0].search(text))

    def is_named_in(self, setup: Path) -> bool:
        """Whether a setup has the ID as a value, or a file or folder of the participant in one."""
        text = unquote(setup.read_text(encoding="utf-8", errors="replace"))
        return any(part == self.participant or self.names(part) for part in re.split(SEPARATORS, text))

    def wants(self, file: PersonalFile) -> bool:
        """Whether a file is to be removed for itself."""
        is_of = not self.participant or self.names(file.path.name) or file.participant == self.participant
        return is_of and self.is_past(file.made)

    def is_past(self, made: datetime) -> bool:
        """Whether something of that date is old enough."""
        return self.before is None or made < self.before


@dataclass
class SearchResult:
    """What was found."""

    files: dict[Path, PersonalFile] = field(default_factory=dict)
    parts: list[DataSetPart] = field(default_factory=list)
    left: dict[Path, str] = field(default_factory=dict)
    """What may be of the participant and is not removed, with the reason."""

    @property
    def items(self) -> list[PersonalFile | DataSetPart]:
        """All that is to be removed, in the order of removal."""
        files = sorted(self.files.values(), key=lambda it: (KINDS.index(it.kind), it.path))
        return [*files, *self.parts]


def search(folders: Sequence[Path], wanted: Wanted, setups: Path | None = None) -> SearchResult:
    """Look through folders and all folders in them; links in them are not followed.

    In the folder `setups` are the window's, of which those that name the participant are found.
    """
    result, known, others = SearchResult(), dict[Path, PersonalFile](), set[Path]()

    def unreadable(error: OSError) -> None:
        result.left[Path(error.filename)] = _why(error)

    for folder in folders:
        for path in _paths(Path(os.path.realpath(folder)), wanted, result, unreadable):
            try:
                mode = path.lstat().st_mode
                file = recognised(path) if stat.S_ISREG(mode) else None
            except OSError as error:
                unreadable(error)
                continue
            if file is not None:
                known[path] = file
            elif stat.S_ISREG(mode):
                others.add(path)
            if file is None and wanted.names(path.name):
                result.left[path] = A_LINK if stat.S_ISLNK(mode) else NOT_OURS
    _choose(result, wanted, known, others)
    for path in sorted(setups.glob("*.toml")) if setups is not None and wanted.participant else ():
        try:
            if wanted.is_named_in(path) and wanted.is_past(made := datetime.fromtimestamp(path.stat().st_mtime, UTC)):
                result.files[path] = PersonalFile(SETUP, path, made)
        except OSError as error:
            unreadable(error)
    return result


def _paths(folder: Path, wanted: Wanted, result: SearchResult, unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    """Every path to look at; participants' folders in data sets are dealt with at once."""
    for here, folders, names in os.walk(folder, onerror=unreadable):
        if data_set.DESCRIPTION in names:
            try:
                _look_at_data_set(Path(here), folders, wanted, result)
            except OSError as error:
                unreadable(error)
            folders[:] = [name for name in folders if name != "derivatives" and not name.startswith("sub-")]
        links = [name for name in folders if os.path.islink(os.path.join(here, name))]  # noqa: PTH114, PTH118
        yield from (Path(here, name) for name in [*links, *names])


def _look_at_data_set(root: Path, folders: Iterable[str], wanted: Wanted, result: SearchResult) -> None:
    everybody = [name for name in sorted(folders) if name.startswith("sub-")]
    is_ours = data_set.is_ours(root)
    for label in [f"sub-{wanted.participant}"] if wanted.participant else everybody if is_ours else ():
        part = data_set.part_of(root, label) if is_ours else None
        if part and wanted.is_past(part.made):
            result.parts.append(part)
        if wanted.participant:
            others = data_set.of_others(root, label)
            result.left |= {path: A_LINK if path.is_symlink() else NOT_OURS for path in others}


def _choose(result: SearchResult, wanted: Wanted, known: dict[Path, PersonalFile], others: set[Path]) -> None:
    """Sort the files that were found into those to remove and those to leave."""
    queue = [file for file in known.values() if wanted.wants(file)]
    while queue:
        file = queue.pop()
        if file.path in result.files:
            continue
        result.files[file.path] = file
        result.left.pop(file.path, None)
        for kind, name in made_of(file):
            path = file.path.with_name(name)
            if (path in known and known[path].kind == kind) or (path in others and kind in (COPY, EXPORT, CLASSIFIER)):
                queue.append(PersonalFile(kind, path, file.made))
    for path, file in known.items():
        if path in result.files or not wanted.is_past(file.made):
            continue
        if file.kind == REPORT and wanted.mentions(path):
            result.files[path] = replace(file, is_shared=True)
        elif wanted.may_name(path.name):
            result.left[path] = f"named {wanted.participant}, but not sub-{wanted.participant}: it may be of another"


def remove(found: SearchResult) -> Iterator[tuple[str, str]]:
    """Remove everything; what each thing was, and why it could not be removed, or an empty text."""
    for item in found.items:
        what, why = str(item), ""
        try:
            item.remove()
        except OSError as error:
            why = _why(error)
        yield what, why


def _why(error: OSError) -> str:
    return str(error.strerror or error)
