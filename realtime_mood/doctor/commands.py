"""The verb ``doctor``. Its checks are imported when it is called: `--help` stays fast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import liblsl
from ..cli.commands import ScopeOption
from ..cli.config import resolve
from ..console import own_stdout
from ..errors import ConfigError
from ..language import Phrase, translated

if TYPE_CHECKING:
    from ..viewmodel.computer_check import ComputerCheck
    from .finding import Check, Finding


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    for_issue: Annotated[
        bool, typer.Option("--report", help="Print text for an issue, without names, paths, addresses.")
    ] = False,
    lsl_scope: ScopeOption = None,
) -> None:
    """Say what is wrong on this computer and how to fix it. Checks installation, boards, LSL, network, disk and GPU."""
    from . import report
    from .finding import exit_code

    if as_json and for_issue:
        raise ConfigError("doctor --json --report", "they are two forms of one result", "give one of them")
    config = resolve({"lsl_scope": lsl_scope})
    scope = config.lsl_scope or "loopback"  # nothing leaves this computer unless asked for
    with own_stdout() as out:
        findings = examination(scope, config.record)
        if as_json:
            print(json.dumps(report.as_object(findings, scope)), file=out)
        elif for_issue:
            print(report.for_an_issue(findings, scope), file=out)
        else:
            for line in report.text(findings, scope):
                print(line, file=out)
    raise typer.Exit(exit_code(findings))


def examination(scope: str, record: Path | None) -> list[Finding]:
    """The findings of all checks, most serious first, with LSL within `scope`, and recordings in `record`, if given."""
    from .running import examine

    return examine(checks_of(scope, record))


def computer_check(scope: str, record: Path | None) -> ComputerCheck:
    """The same for the window, with the text for a public issue."""
    from ..viewmodel.computer_check import ComputerCheck, ComputerFinding
    from .report import for_an_issue, verdict

    findings = examination(scope, record)
    shown = tuple(ComputerFinding(one.check, one.level.label, *one.words(translated)) for one in findings)
    return ComputerCheck(shown, translated(verdict(findings)), for_an_issue(findings, scope))


def checks_of(scope: str, record: Path | None = None) -> list[Check]:
    """All checks, the most likely causes first, as people report them in public."""
    from functools import partial

    from platformdirs import user_data_path

    from . import boards, configuration, firewall, installed, machine, network, ports, streams
    from .finding import Check

    own = liblsl.own_configuration()
    lsl_ports = ports.LslPorts.in_force(own)
    near = configuration.scope_in_force(own, scope)
    data = user_data_path("realtime_mood")
    chosen = record.expanduser() if record is not None else None
    own_folder = [] if chosen is None else [chosen if chosen.is_dir() else chosen.parent]  # else it is a file to be
    folders = [data / "recordings", data / "autosave", *own_folder]
    return [
        Check("LSL library", streams.library),
        Check("window", installed.window),
        Check("firewall", partial(firewall.firewall, lsl_ports)),
        Check("multicast", partial(network.multicast, near)),
        Check("own LSL stream", partial(streams.own_stream, scope), 45.0),
        Check("LSL streams", partial(streams.announced, scope, folders=folders), 35.0),
        Check("LSL ports", partial(ports.ports, lsl_ports)),
        Check("adapters", network.connections),
        Check("LSL configuration", partial(configuration.configuration, own, scope, Path.home())),
        Check("serial ports", boards.serial, hangs=Phrase("unplug the board and plug it in again")),
        Check("bluetooth", boards.bluetooth, hangs=Phrase("switch Bluetooth off and on")),
        Check("brainflow", boards.brainflow),
        Check("packages", installed.packages),
        Check("python", installed.python),
        Check("weights", machine.weights, machine.LOAD_S + 5),
        Check("disk", partial(machine.disks, [*own_folder, data]), hangs=Phrase("record to a local disk")),
        Check("torch", machine.torch, machine.LOAD_S + 5, Phrase("use --runtime onnx, or --device cpu")),
    ]
