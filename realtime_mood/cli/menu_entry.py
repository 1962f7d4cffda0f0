"""The verb ``menu-entry``: adds the program to the start menu of a Linux desktop, or removes it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_data_path

from ..errors import ConfigError
from ..files import write_whole

ID = "realtime-mood"
ICON = Path(__file__).with_suffix(".svg")
ENTRY = """[Desktop Entry]
Type=Application
Name=Realtime mood
Comment=A real-time EEG emotion reader; not a medical device
Comment[de]=Liest Emotionen in Echtzeit aus dem EEG; kein Medizinprodukt
Exec={command} run --view gui
Icon={icon}
Terminal=false
Categories=Science;
Keywords=EEG;LSL;BrainFlow;neurofeedback;
"""


def menu_entry(
    remove: Annotated[bool, typer.Option("--remove", help="Remove the entry and its icon.")] = False,
) -> None:
    """Add the program to the start menu (Linux). It gets an icon."""
    if sys.platform in ("win32", "darwin"):
        raise ConfigError("menu-entry", "this system has no such menu", "start `realtime-mood` from a terminal")
    entry = user_data_path() / "applications" / f"{ID}.desktop"
    icon = user_data_path() / "icons" / "hicolor" / "scalable" / "apps" / f"{ID}.svg"
    texts = {icon: ICON.read_text("utf-8"), entry: ENTRY.format(command=command(), icon=icon)}
    try:
        for path, text in texts.items():
            if remove:
                path.unlink(missing_ok=True)
            else:
                write_whole(path, text.encode())
    except OSError as error:
        raise ConfigError(f"menu entry {entry}", error.strerror or str(error), "make that folder writable") from None
    print(f"Removed: {entry}" if remove else entry)


def command() -> str:
    """What starts this installation, quoted as the `Desktop Entry Specification` asks."""
    script, program = Path(sys.executable).with_name(ID), Path(sys.argv[0]).absolute()
    return " ".join(_quoted(str(it)) for it in ([script] if script.is_file() else [sys.executable, program]))


def _quoted(word: str) -> str:
    quoted = re.sub(r'(["`$\\])', r"\\\1", word).replace("%", "%%")
    return f'"{quoted}"'.replace("\\", "\\\\")  # the value of a key is unescaped before it is read as a command
