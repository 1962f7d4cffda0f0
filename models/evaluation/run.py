"""The command ``evaluate``: compares methods on held-out subjects and writes a table, JSON and two figures."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.files import write_whole

from ..datasets.guards import duplicate_groups
from ..datasets.labels import labels_of
from ..datasets.person import Person
from ..datasets.sets import READERS
from ..executor import Executor, open_executor
from ..pretraining.encoder import load_encoder
from . import report
from .ablations import ablations
from .attention import attention
from .baselines import Classical, Majority, Method, Riemannian
from .cohorts import DATASETS, channel_sets, common_channels, load, records_behind
from .compare import Runner, Study, compare
from .contexts import check_track
from .controls import controls
from .eegnet import EEGNetMethod
from .figures import DRAWS
from .labelled import DatasetChoice, clip_groups, load_labelled
from .mood_reader import ReaderMethod
from .splits import check_apart, plan
from .store import digest
from .trial_controls import NeighbourControl, PositionControl, clip_identity, leaks

CLIP_GROUPS = 5
"""Groups of stimuli of the protocol ``subject-clip``, where a label has as many."""


@dataclass(frozen=True)
class Options:
    """Options of `evaluate`."""

    readout: str
    out: Path
    data: Path | None = None
    dataset: str | None = None
    protocol: str = "groups"
    track: str = "c1"
    channels: str = "19,8,4"
    methods: str = "all"
    n_people: int = 48
    n_folds: int = 8
    n_inner: int = 4
    steps: tuple[int, ...] = ()
    encoder: Path | None = None
    cache: Path | None = None
    n_jobs: int = 1
    seed: int = 0
    controls: bool = False
    ablations: bool = False
    other_encoder: Path | None = None
    attention: bool = False
    felt: bool = False
    scheduler: str | None = None


def methods_of(asked: str, steps: Sequence[int], encoder: Path | None) -> list[Method]:
    """The methods behind ``"lr,reader"`` or ``"all"``."""
    known: list[Method] = [
        Majority(), *map(Classical, ("distance", "lr", "lda", "svm")), Riemannian(), EEGNetMethod(),
        ReaderMethod(steps=steps, encoder=encoder),
    ]  # fmt: skip
    by_name = {m.name: m for m in known}
    names = list(by_name) if asked == "all" else [part.strip() for part in asked.split(",") if part.strip()]
    if unknown := [name for name in names if name not in by_name]:
        raise ConfigError(f"methods {asked!r}", f"no {', '.join(unknown)}", f"use all, or some of {', '.join(by_name)}")
    return [by_name[name] for name in dict.fromkeys(names)]


def evaluate(options: Options, words: Sequence[str], say: Callable[[str], None], console: Console) -> dict[str, Any]:
    """Run what `options` ask, write it beside ``out``, and give the report.

    Raises
    ------
    ConfigError
        When it cannot be done as asked; nothing computed is lost.
    """
    with open_executor(options.n_jobs, options.scheduler) as executor:
        return _evaluate(options, words, executor, say, console)


def _evaluate(
    options: Options, words: Sequence[str], executor: Executor, say: Callable[[str], None], console: Console
) -> dict[str, Any]:
    check_track(options.track)
    spec, seen = FeatureSpec(), records_seen(options.encoder) | records_seen(options.other_encoder)
    methods = methods_of(options.methods, options.steps, options.encoder)
    reader = next((m for m in methods if isinstance(m, ReaderMethod)), None)
    if reader is None and (options.ablations or options.attention):
        raise ConfigError("ablations or attention", "the reader is not among the --methods", "add reader to them")
    people, labels, meaning = _subjects(options, spec, executor, say)
    if people[0].trials:
        methods = [*methods, PositionControl(), NeighbourControl()]
    clips = clip_groups(people, CLIP_GROUPS, options.seed) if options.protocol == "subject-clip" else ()
    same = duplicate_groups(people) if people[0].trials else []
    for group in same:
        say(f"the same recording under several names, kept on one side of every split: {', '.join(sorted(group))}")
    together = [[i for i, p in enumerate(people) if p.name in group] for group in same]
    n_folds = min(options.n_folds, len(people))
    folds = plan(len(people), options.protocol, n_folds, options.n_inner, options.seed, clips, together)
    check_apart(people, folds, seen, records_behind(people, options.data))
    common = common_channels(people, say)
    sets = channel_sets(options.channels, common)
    say(f"{len(people)} subjects, {len(folds)} folds, track {options.track}, channels {'; '.join(sets)}")
    study = Study(people, labels, spec, options.track, common, sets, options.seed)
    cache = options.cache or options.out.with_suffix(".cache")
    runner = Runner(study, cache, executor, say)
    try:
        found = compare(runner, methods, folds)
    except ArithmeticError as error:
        raise MoodError(
            "fit every method", str(error), f"what was computed before is in {cache}; change the recipe and run again"
        ) from None
    titles = {m.name: m.title for m in methods}
    about = {
        "command": shlex.join(["python", "app.py", *words]),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {n: version(n) for n in ("realtime-mood", "torch", "scikit-learn", "pyriemann", "numpy")}
        | {"python": platform.python_version()},
        "readout": options.readout, "labels": labels, "labels_mean": meaning, "track": options.track,
        "protocol": options.protocol,
        "folds": {fold.split.name: [people[i].name for i in fold.split.left] for fold in folds},
        "people": len(people), "seed": options.seed, "people_sha256": digest(list(study.digests)),
        "records_sha256": {p.name: p.sha256 for p in people}, "channels": dict(sets),
        "bootstrap": {"draws": DRAWS, "over": "people", "level": 0.95},
    }  # fmt: skip
    result: dict[str, Any] = {"about": about, "methods": titles, "results": report.summary(found, options.seed)}
    result["warnings"] = [f"the same recording under several names: {', '.join(sorted(group))}" for group in same]
    if people[0].trials:
        result["clip_identity"] = clip_identity(study, folds, options.seed)
        result["warnings"] += leaks(result)
    rows = report.table(result["results"], titles)
    title = f"{options.readout}, track {options.track}, {len(people)} subjects, {options.protocol}"
    report.print_table(rows, title, console)
    if options.controls:
        result["controls"] = controls(runner, methods, folds, options.seed, say)
    if options.ablations and reader:
        result["ablations"] = ablations(runner, reader, folds, options.other_encoder, options.seed, say)
    if options.attention and reader:
        result["attention"] = attention(runner, reader, folds, say)
    lines = [f"# {title}", f"`{about['command']}`"]
    for line in result["warnings"]:
        console.print(f"! {line}")
        lines.append(f"**{line}**")
    for part in ("controls", "ablations", "attention"):
        for line in result.get(part, {}).get("lines", []):
            console.print(line)
            lines.append(line)
    save(options.out, result, report.markdown(rows, lines), titles, str(cache))
    return result


def _subjects(
    options: Options, spec: FeatureSpec, executor: Executor, say: Callable[[str], None]
) -> tuple[list[Person], tuple[str, ...], str]:
    """The subjects, their labels, and what a label says of them."""
    if options.dataset in READERS and options.dataset not in DATASETS.values():
        if options.data is None:
            raise ConfigError(f"data set {options.dataset}", "no folder given", "add --root DIR, where you put it")
        choice = DatasetChoice(options.dataset, options.data, options.readout, options.felt)
        people, info = load_labelled(choice, options.track, spec, executor, say)
        return people, labels_of(options.readout, info), choice.meaning
    people, labels = load(
        options.readout, options.dataset, options.data, options.track, options.n_people, spec, executor
    )  # fmt: skip
    if options.protocol == "subject-clip":
        raise ConfigError("protocol 'subject-clip'", f"{options.dataset or options.readout} has no clips", "use groups")
    return people, labels, "what the subject was asked to do"


def records_seen(encoder: Path | None) -> dict[str, list[str]]:
    """All subjects an encoder was pre-trained on: name, and SHA-256 of their records."""
    if encoder is None:
        return {}
    try:
        card = load_encoder(encoder)[1]
        found = {str(name): [str(sha) for sha in hashes] for name, hashes in card["records_sha256"].items()}
        return {f"virtual-{int(seed)}": [] for seed in card["virtual_seeds"]} | found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"encoder {encoder}", f"the list of its training subjects cannot be read: {error}", "pre-train it again"
        ) from None


def save(out: Path, result: dict[str, Any], text: str, titles: dict[str, str], cache: str) -> None:
    """Write JSON, Markdown and pictures; raises `ConfigError` where that cannot be done."""
    try:
        write_whole(out, (json.dumps(result, indent=1) + "\n").encode())
        write_whole(out.with_suffix(".md"), text.encode())
        report.pictures(result["results"], titles, out)
    except OSError as error:
        raise ConfigError(
            f"write {out}", f"{error.strerror}", f"free space or choose another place and run again: {cache} has it all"
        ) from None
