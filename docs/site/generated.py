"""Pages of the reference that are generated from the code: commands, configuration, protocols, exit codes, messages."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import typer
from babel.messages import pofile
from pydantic import BaseModel

import realtime_mood
from realtime_mood import app, contracts, errors
from realtime_mood.calibration.protocol import Cue, Protocol, Rest
from realtime_mood.cli.config import RunConfig
from realtime_mood.feedback.plan import Block, FeedbackPlan, Measure, Reward

CONTENTS = """
```{include} home.md
```

```{toctree}
:hidden:
:caption: Tutorials
tutorials/first-ten-minutes
tutorials/headset
tutorials/headsets/openbci
tutorials/headsets/muse
tutorials/headsets/emotiv
tutorials/headsets/research-caps
tutorials/calibrate
tutorials/feedback-study
tutorials/training
tutorials/own-plugin
examples
```

```{toctree}
:hidden:
:caption: How to
install
guide
streams
timing
troubleshooting
datasets
own-datasets
sharing
plugins
```

```{toctree}
:hidden:
:caption: Reference
reference/commands
reference/configuration
api
reference/python
reference/protocols
outputs
reference/exit-codes
reference/messages
glossary
security
```

```{toctree}
:hidden:
:caption: Explanation
estimate
architecture
evaluation
evaluation/effort
evaluation/data-sets
evaluation/network
calibration
model-card
reliability
measurements
decisions/README
```

```{toctree}
:hidden:
:glob:
decisions/0*
```

```{toctree}
:hidden:
:caption: Project
contributing
changelog
```
"""
"""The first page, with the tables of contents."""


def pages() -> dict[str, str]:
    """Text of each page by its path."""
    return {
        "reference/commands.md": "\n".join(commands()),
        "reference/configuration.md": "\n".join(configuration()),
        "reference/python.md": "\n".join(python()),
        "reference/protocols.md": "\n".join(protocols()),
        "reference/exit-codes.md": "\n".join(exit_codes()),
        "reference/messages.md": "\n".join(messages()),
    }


def commands() -> Iterator[str]:
    """Every command, with its arguments and options."""
    yield from ("# Commands", "", "`python app.py COMMAND`, or `realtime-mood COMMAND` where it is installed.", "")
    yield from _commands(typer.main.get_command(app.cli), "")


def _commands(group: Any, before: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        whole = f"{before}{name}"
        yield from (f"## {whole}", "", _one_line(command.help), "")
        rows = [row for parameter in command.params if (row := _row(parameter))]
        if rows:
            yield from ("| | | default |", "|---|---|---|", *rows, "")
        if hasattr(command, "commands"):
            yield from _commands(command, f"{whole} ")


def _row(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{(parameter.name or '').upper()}`"
    told = _one_line(getattr(parameter, "help", "") or "")
    default = parameter.default
    shown = "" if default in (None, False, "", ()) or callable(default) else f"`{default}`"
    return f"| {names} | {told} | {shown} |" if not getattr(parameter, "hidden", False) else ""


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|").replace("<", "&lt;")


def configuration() -> Iterator[str]:
    """Every key of the configuration file, of a feedback session and of a calibration protocol."""
    yield from (
        "# Configuration", "", "## Options of a run", "",
        "Keys of the TOML file of `--config`, which are the options of `run`. [The guide](../guide.md#options) says",
        "where values are taken from. An environment variable is `REALTIME_MOOD_` and the key in capitals.", "",
    )  # fmt: skip
    run = typer.main.get_command(app.cli).commands["run"]  # type: ignore[attr-defined]
    yield from _keys(RunConfig, _comments(RunConfig) | {it.name: it.help for it in run.params if hasattr(it, "help")})
    yield from ("## A feedback session", "", "Keys of the TOML file of `feedback --session`.", "")
    for model, table in ((FeedbackPlan, ""), (Measure, "[[measures]]"), (Reward, "[reward]"), (Block, "[[blocks]]")):
        yield from ((f"`{table}`", "") if table else ())
        yield from _keys(model, _comments(model))
    yield from ("## A calibration protocol", "", "Keys of the TOML file of `calibrate --protocol`.", "")
    for model, table in ((Protocol, ""), (Rest, "[[rest]]"), (Cue, "[[cues]]")):
        yield from ((f"`{table}`", "") if table else ())
        yield from _keys(model, _comments(model))


def _keys(model: type[BaseModel], meanings: dict[str, str]) -> Iterator[str]:
    yield from ("| key | type | default | meaning |", "|---|---|---|---|")
    for name, field in model.model_fields.items():
        kind = field.annotation.__name__ if isinstance(field.annotation, type) else str(field.annotation)
        kind = re.sub(r"Annotated\[(.*?\]),.*?\]", r"\1", re.sub(r"\b[a-z_]+\.(?=\w)", "", kind))
        kind = re.sub(r"Optional\[(.*)\]$", r"\1 | None", re.sub(r"Literal\[(.*?)\]", r"\1", kind))
        default = "" if field.is_required() or field.default_factory else f"`{field.default!r}`"
        yield f"| `{name}` | {_one_line(kind)} | {default} | {_one_line(meanings.get(name, ''))} |"
    yield ""


def _comments(model: type[BaseModel]) -> dict[str, str]:
    """What the source says of each field: a comment before or behind it, or a string after it."""
    source = inspect.getsource(model)
    field = r'((?:^    #.*\n)*)^    (\w+): [^#\n]*(?:# (.*))?\n(?:    """((?:.|\n)*?)""")?'
    found = {}
    for before, name, behind, after in re.findall(field, source, re.MULTILINE):
        meaning = behind or after or " ".join(line.strip(" #") for line in before.splitlines())
        found[name] = meaning.replace("``", "`")
    return found


def python() -> Iterator[str]:
    """Everything that ``import realtime_mood`` gives."""
    yield from ("# Functions and classes", "", "All names of `import realtime_mood`; [how to use them](../api.md).", "")
    for name in sorted(realtime_mood.__all__, key=str.lower):
        it = getattr(realtime_mood, name)
        if inspect.isclass(it) or inspect.isfunction(it):
            kind = "autoclass" if inspect.isclass(it) else "autofunction"
            yield from (f"## {name}", "", "```{eval-rst}", f".. {kind}:: {it.__module__}.{it.__qualname__}")
            yield from ("   :members:", "```", "") if kind == "autoclass" else ("```", "")


def protocols() -> Iterator[str]:
    """The protocols that parts of other packages implement."""
    yield from (
        "# Protocols", "",
        "What a source, sink, network or display of another package must have; [how to write one](../plugins.md).", "",
        "```{eval-rst}", f".. automodule:: {contracts.__name__}", "   :members:", "   :undoc-members:", "```", "",
    )  # fmt: skip


def exit_codes() -> Iterator[str]:
    """Errors by exit code, and their messages."""
    kinds = {name: it for name, it in vars(errors).items() if inspect.isclass(it) and issubclass(it, errors.MoodError)}
    by_code = sorted(kinds.values(), key=lambda it: it.exit_code)
    yield from (
        "# Exit codes and errors", "",
        "0 is success; [the guide](../guide.md#exit-codes) says what each code means. Errors of the Python",
        "interface by code:", "", "| code | error | when |", "|---|---|---|",
        *(f"| {it.exit_code} | `{it.__name__}` | {_one_line(inspect.getdoc(it))} |" for it in by_code), "",
        "## Messages", "",
        "An error says what was asked · what was found · what to do. Here are the second and the third; … is replaced.",
        "",
        "| code | found | do |", "|---|---|---|",
    )  # fmt: skip
    rows = {(kinds[name].exit_code, found, do) for name, found, do in _raised(kinds)}
    yield from (f"| {code} | {_cell(found)} | {_cell(do)} |" for code, found, do in sorted(rows))


def _raised(kinds: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Error, what was found, and what to do, of each message in the code whose words are known."""
    root = Path(realtime_mood.__file__).parent
    for path in (path for folder in (root, root / "models", root / "calibration") for path in folder.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                yield from _raised_in(function, kinds)


def _raised_in(function: ast.FunctionDef, kinds: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    named = {it.targets[0].id: it.value for it in ast.walk(function)
             if isinstance(it, ast.Assign) and isinstance(it.targets[0], ast.Name)}  # fmt: skip
    for call in ast.walk(function):
        name = getattr(getattr(call, "func", None), "id", "")
        if name in kinds and len(call.args) > 2:  # type: ignore[attr-defined]
            found, do = (_template(it, named) for it in call.args[1:3])  # type: ignore[attr-defined]
            if re.search(r"[^\W\d]{3}", found):
                yield name, found, do


def _template(text: ast.expr, named: Mapping[str, ast.expr]) -> str:
    """The words of a text, with … for what is put into it."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    if isinstance(text, ast.JoinedStr):
        return "".join(str(it.value) if isinstance(it, ast.Constant) else "…" for it in text.values)
    if isinstance(text, ast.IfExp):
        return f"{_template(text.body, {})} / {_template(text.orelse, {})}"
    if isinstance(text, ast.Name) and text.id in named:
        return _template(named[text.id], {})
    return "…"


def messages() -> Iterator[str]:
    """Every text that is translated."""
    yield from (
        "# Messages", "",
        "Texts of the window, the terminal view and the reports, and their translations. Words in braces are",
        "replaced.", "",
    )  # fmt: skip
    for catalogue in sorted(files("realtime_mood.language").glob("*/LC_MESSAGES/*.po")):  # type: ignore[attr-defined]
        with catalogue.open("rb") as file:
            found = [it for it in pofile.read_po(file) if it.id]
        yield from (f"| English | {catalogue.parts[-3]} |", "|---|---|")
        yield from (f"| {_cell(it.id)} | {_cell(it.string)} |" for it in found)
        yield ""


def _cell(text: str | list[str] | tuple[str, ...]) -> str:
    return _one_line(text if isinstance(text, str) else " / ".join(text)).replace("`", "'")
