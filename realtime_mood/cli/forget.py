"""The verb ``forget``: removes the data of a participant, or data older than a retention period, after a listing."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_cache_path, user_data_path, user_log_path

from ..errors import ConfigError, one_line
from .config import resolve, setup_folder

if TYPE_CHECKING:
    from ..forget.search import SearchResult

ASK = "run it in a terminal, or add --yes"


def forget(
    participant: Annotated[str, typer.Option(help="Participant ID, exactly (P1 is not P10).")] = "",
    older_than: Annotated[
        float | None, typer.Option(help="Data older than this many days, of the participant or of everybody.", min=0)
    ] = None,
    retention: Annotated[
        bool, typer.Option("--retention", help="Data older than the retention period of your configuration file.")
    ] = False,
    folders: Annotated[
        list[Path] | None,
        typer.Option("--in", help="Look in this folder instead of your data folder; may be repeated. Also BIDS roots."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking, for scripts.")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file with retention = DAYS.")] = None,
) -> None:
    """Remove the files of a participant, or old files. Lists all kinds, from recordings to exports, and asks first."""
    if retention:
        older_than = _retention(config, older_than)
    if not participant and older_than is None:
        raise ConfigError("forget", "neither whom nor what", "add --participant ID, --older-than DAYS or --retention")
    if participant and not re.fullmatch("[0-9A-Za-z]+", participant):
        raise ConfigError(f"participant {participant!r}", "IDs are letters and digits", "give it as in file names")
    where = [path.expanduser() for path in folders or [user_data_path("realtime_mood")]]
    if absent := [path for path in folders or () if not path.expanduser().is_dir()]:
        raise ConfigError(f"forget in {absent[0]}", "no such folder", "check the path")
    from ..forget.search import Wanted, search

    setups = None if folders else setup_folder()
    found = search(where, Wanted(participant, _before(older_than)), setups)
    of = [f"of participant {participant}"] if participant else []
    what = " ".join(of if older_than is None else [*of, f"older than {older_than:g} days"])
    _list(found, what, where, setups)
    if found.items:
        if not yes:
            _ask(len(found.items), what)
        failed = _remove(found)
    if not found.items or found.left or failed:
        raise typer.Exit(1)


def _retention(config: Path | None, older_than: float | None) -> float:
    """The retention period (days); a file of the current folder has none: others may have made it."""
    if older_than is not None:
        raise ConfigError("forget", "--retention and --older-than", "give one of them")
    days = resolve({}, config).retention
    if days is None:
        do = "add retention = DAYS to your configuration file, or use --older-than DAYS"
        raise ConfigError("forget --retention", "no retention period is set", do)
    return days


def _before(days: float | None) -> datetime | None:
    try:
        return None if days is None else datetime.now(UTC) - timedelta(days=days)
    except OverflowError:
        raise ConfigError(f"forget --older-than {days:g}", "too many days", "give fewer") from None


def _list(found: SearchResult, what: str, where: Sequence[Path], setups: Path | None) -> None:
    places = ", ".join(map(str, where))
    of_window = "folders that its file dialog showed last"
    if setups is None:
        of_window = f"its setups and last used source in {setup_folder()}, which may name a recording; {of_window}"
    print(f"Will be removed, {what}:" if found.items else f"Nothing {what} was found in {places}.")
    for item in found.items:
        print(f"  {one_line(str(item))}")
    if found.left:
        print("Stays, please look at it yourself:")
        for path, why in sorted(found.left.items()):
            print(one_line(f"  {path}: {why}"))
    print(f"""Out of reach:
  files outside {places} (--in FOLDER), also exports and BIDS data sets there
  copies elsewhere: backups, other computers, receivers of readings, whatever was sent or published
  files whose name and profile have no participant ID; reports, tables and exports that were renamed
  sealed files (they have codes, no IDs) and feedback lines of others that were yoked to these
  networks trained on the recordings, and what evaluate keeps in {user_cache_path("realtime-mood")}
  messages with file names in {user_log_path("realtime_mood")}
  of the window: {of_window}""")


def _ask(n: int, what: str) -> None:
    """Go on if the answer is yes; exit code 1 if it is no, 2 where nobody can be asked."""
    if not sys.stdin.isatty():
        raise ConfigError(f"forget what is {what}", "there is no terminal to ask", ASK)
    try:
        answer = input(f"Remove {'this' if n == 1 else f'these {n}'} for good? [y/N] ")
    except EOFError:
        raise ConfigError(f"forget what is {what}", "there is no answer", ASK) from None
    if answer.strip().lower() not in ("y", "yes"):
        print("nothing was removed")
        raise typer.Exit(1)


def _remove(found: SearchResult) -> bool:
    """Remove what was found, and say so; whether something could not be removed."""
    from ..forget.search import remove

    failed = False
    for item, why in remove(found):
        print(one_line(f"not removed: {item}: {why}" if why else f"removed {item}"), flush=True)
        failed |= bool(why)
    return failed
