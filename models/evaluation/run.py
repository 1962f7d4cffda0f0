"""The command ``evaluate``: compares methods on held-out subjects and writes a table, JSON and two figures."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, MoodError
from realtime_mood.files import write_whole

from ..datasets.guards import duplicate_groups
from ..datasets.labels import labels_of, scale_of
from ..datasets.person import Person
from ..datasets.trials import DatasetInfo
from ..executor import Executor, open_executor
from ..inputs import RawToken
from . import claims, own_trials, ratings, report, sessions
from .ablations import ablations
from .attention import attention
from .baselines import Method, fitted_to_some
from .cohorts import DATASETS, VIRTUAL, channel_sets, common_channels, load, records_behind, records_seen
from .compare import Runner, Study, compare
from .contexts import check_track, thinned
from .controls.clips import clip_identity
from .controls.every_method import controls
from .controls.order import WITHOUT_SIGNAL
from .controls.rows import control_rows, reading
from .eegnet import EEGNetMethod
from .figures import DRAWS
from .labelled import DatasetChoice, clip_groups, load_labelled, looks_ahead
from .literature import PROTOCOL as LITERATURE
from .literature import literature
from .methods import methods_of
from .mood_reader import ReaderMethod, by_modality
from .open_eeg_bench import PROTOCOL as BOARD_PROTOCOL
from .open_eeg_bench import Board, board_figures, board_of, divide
from .rating_methods import rating_methods
from .riemannian import Riemannian
from .splits import Fold, check_apart, check_plan, plan
from .store import digest

NEED_SIGNALS = (Riemannian, EEGNetMethod)
CLIP_GROUPS = 5  # number of groups of stimuli of the protocol ``subject-clip``, where each label has as many stimuli


@dataclass(frozen=True)
class Options:
    """Options of `evaluate`, explained at `models.commands.evaluate`."""

    readout: str
    out: Path
    data: Path | None = None
    dataset: str | None = None
    protocol: str = "groups"
    track: str = "c1"
    channels: str = "19,8,4"
    methods: str = "all"
    n_virtual: int = 48
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
    own_trials: int = 2
    raw_token: RawToken = "patch"


@dataclass(frozen=True)
class Comparison:
    """The methods that are compared, and on whom; `about` is all that is needed to repeat it."""

    runner: Runner
    methods: Sequence[Method]
    folds: Sequence[Fold]
    about: Mapping[str, Any]
    warnings: Sequence[str]
    cache: Path
    info: DatasetInfo | None
    """Of a labelled data set."""
    board: Board | None = None
    scale: str = ""
    """Of the ratings that are predicted; empty where there are classes."""

    @property
    def reader(self) -> ReaderMethod | None:
        """The Mood Reader, where it is among the methods."""
        return next((m for m in self.methods if isinstance(m, ReaderMethod)), None)


def evaluate(options: Options, arguments: Sequence[str], log: Callable[[str], None], console: Console) -> None:
    """Compare the methods as `options` ask, and write the report to ``out`` and beside it.

    Raises `ConfigError` for a wrong option, and `MoodError` where the report cannot be written; results computed before
    are in the cache.
    """
    with open_executor(options.n_jobs, options.scheduler) as executor:
        c = prepare(options, arguments, executor, log)
        if slow := sorted({m.title.split(",")[0] for m in c.methods if isinstance(m, EEGNetMethod | ReaderMethod)}):
            log(f"{' and '.join(slow)} take most of the time; for a first table use --methods lr,lda,svm")
        result = _compared(c, options, log)
        if c.scale:
            ratings.print_result(result, console)
        else:
            report.print_table(report.table(result), report.title(result["about"]), console)
            report.print_sections(result, console)
        further = _further(c, options, log)
    report.print_sections(further, console)
    _write(options.out, result | further, c)
    log(f"wrote {options.out}, {options.out.with_suffix('.md')}{'' if c.scale else ' and two pictures'}")


def prepare(options: Options, arguments: Sequence[str], executor: Executor, log: Callable[[str], None]) -> Comparison:
    """Read the subjects, divide them into folds, and check that they can be compared."""
    check_track(options.track)
    spec, seen = FeatureSpec(), records_seen(options.encoder) | records_seen(options.other_encoder)
    further = options.controls or options.ablations or options.attention
    if scale := scale_of(options.readout):
        ratings.check(options.protocol, options.track, further=further)
        options = replace(options, felt=True)
        methods = rating_methods(options.methods, scale, options.steps, options.encoder, options.raw_token)
    else:
        methods = methods_of(options.methods, options.steps, options.encoder, options.raw_token)
    if (options.ablations or options.attention) and not any(isinstance(m, ReaderMethod) for m in methods):
        raise ConfigError("ablations or attention", "the reader is not among the --methods", "add reader to them")
    board = None
    if options.protocol == BOARD_PROTOCOL:
        board = board_of(options.dataset, options.readout, options.track, felt=options.felt)
        options = replace(options, readout=board.readouts[0])
    elif options.protocol != sessions.PROTOCOL:
        check_plan(options.protocol, options.n_folds)
    n_own = own_trials.check(further, options.own_trials) if options.track == own_trials.TRACK else 0
    subjects, labels, meaning, info = _subjects(options, spec, executor, log)
    methods, warnings = _suitable(by_modality(methods, subjects), subjects)
    if n_own:
        subjects = own_trials.who_can_be_scored(subjects, n_own, spec, log)
        methods = own_trials.with_own(methods)
    if subjects[0].trials and not scale:
        methods = [*methods, *WITHOUT_SIGNAL]
    n_people = len(subjects)
    if subjects[0].trials and not board:
        subjects = thinned(subjects, spec)
    if board and info:
        check_apart(subjects, (), seen)
        subjects, folds = divide(subjects, board, info, options.track)
    elif options.protocol == sessions.PROTOCOL:
        subjects, folds = sessions.divide(subjects, options.n_inner)
        warnings.append("subjects were trained on, in other sessions: this says nothing about unseen subjects")
    else:
        folds, copies = _folds(options, subjects, log)
        warnings += copies
    check_apart(subjects, folds, seen, records_behind(subjects, options.data))
    common = common_channels(subjects, log)
    sets = channel_sets(options.channels, common)
    log(f"{len(subjects)} subjects, {len(folds)} folds, track {options.track}, channels {'; '.join(sets)}")
    study = Study(subjects, labels, spec, options.track, common, sets, options.seed, n_own)
    warnings += fitted_to_some(methods, study, folds)
    about = _about(options, arguments, study, folds) | {
        "labels_mean": meaning, "people": n_people, "every": subjects[0].every,
        "title": info.title.partition(" (")[0] if info else "", "looks_ahead": looks_ahead(subjects, info),
        "simulated": any(p.info.virtual for p in subjects), "scale": info.scales[scale] if info and scale else None,
    }  # fmt: skip
    cache = options.cache or options.out.with_suffix(".cache")
    return Comparison(Runner(study, cache, executor, log), methods, folds, about, warnings, cache, info, board, scale)


def _suitable(methods: list[Method], subjects: Sequence[Person]) -> tuple[list[Method], list[str]]:
    """The methods without those that read signals where there are features only, and a warning that names these."""
    out = [m for m in methods if isinstance(m, NEED_SIGNALS)] if any(not p.raw for p in subjects) else []
    if not out:
        return methods, []
    names = ", ".join(m.title for m in out)
    if len(out) == len(methods):
        raise ConfigError(f"methods {names}", "the data set has features only", "choose others, or get its signals")
    return [m for m in methods if m not in out], [f"left out, for there are features only and no signals: {names}"]


def _compared(c: Comparison, options: Options, log: Callable[[str], None]) -> dict[str, Any]:
    """The results of all methods and controls, and what warns of them."""
    if c.scale:
        return {"about": c.about} | ratings.result_of(c.runner, c.scale, c.methods, c.folds)
    try:
        results = compare(c.runner, c.methods, c.folds)
    except ArithmeticError as error:
        raise MoodError(
            "fit every method", str(error), f"what was computed before is in {c.cache}; change the recipe and run again"
        ) from None
    titles = {m.name: m.title for m in c.methods}
    result: dict[str, Any] = {"about": c.about, "methods": titles, "results": report.summary(results, options.seed)}
    found = list(c.warnings)
    if c.board:
        test = [c.runner.study.subjects[i] for i in c.folds[0].split.left]
        result["open_eeg_bench"] = board_figures(results, titles, c.board, test, c.runner.study.spec, options.seed)
    elif c.runner.study.subjects[0].trials:
        runner = c.runner.on(c.runner.study.of_scored())
        result["clip_identity"] = clip_identity(runner.study, c.folds, options.seed)
        result["control_rows"] = control_rows(runner, c.folds, result, log)
        result["reading"] = {"lines": reading(result)}
        result["verdicts"] = claims.verdicts(result)
        found += claims.warnings(result)
        result["claims"] = claims.sentences(result)
    if options.protocol == LITERATURE:
        result["literature"] = literature(c.runner, c.methods, c.folds, result, log)
    if c.runner.study.n_own:
        result["own_trials"] = own_trials.calibration_used(c.runner.study, result)
    if c.info:
        result["published"] = [asdict(figure) for figure in c.info.published]
    return result | {"warnings": found}


def _further(c: Comparison, options: Options, log: Callable[[str], None]) -> dict[str, Any]:
    """What is computed only where it is asked for."""
    found: dict[str, Any] = {}
    if options.controls:
        found["controls"] = controls(c.runner, c.methods, c.folds, log)
    if options.ablations and c.reader:
        found["ablations"] = ablations(c.runner, c.reader, c.folds, options.other_encoder, log)
    if options.attention and c.reader:
        found["attention"] = attention(c.runner, c.reader, c.folds, log)
    return found


def _folds(options: Options, subjects: Sequence[Person], log: Callable[[str], None]) -> tuple[list[Fold], list[str]]:
    """The folds of the protocol, and a warning for each recording that is there under several names."""
    clips = clip_groups(subjects, CLIP_GROUPS, options.seed) if options.protocol == "subject-clip" else ()
    copies = duplicate_groups(subjects) if subjects[0].trials else []
    warnings = [f"the same recording under several names: {', '.join(sorted(group))}" for group in copies]
    for warning in warnings:
        log(f"{warning}; kept on one side of every split")
    together = [[i for i, p in enumerate(subjects) if p.name in group] for group in copies]
    n_folds = min(options.n_folds, len(subjects))
    return plan(len(subjects), options.protocol, n_folds, options.n_inner, options.seed, clips, together), warnings


def _write(out: Path, result: dict[str, Any], c: Comparison) -> None:
    page = (ratings if c.scale else report).markdown(result)
    try:
        write_whole(out, (json.dumps(result, indent=1) + "\n").encode())
        write_whole(out.with_suffix(".md"), page.encode())
        if not c.scale:
            report.pictures(result["results"], result["methods"], out)
    except OSError as error:
        do = f"free space or choose another place and run again: {c.cache} has it all"
        raise ConfigError(f"write {out}", str(error.strerror), do) from None


def _about(options: Options, arguments: Sequence[str], study: Study, folds: Sequence[Fold]) -> dict[str, Any]:
    """Everything needed to repeat the evaluation."""
    return {
        "command": shlex.join(["python", "app.py", *arguments]),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {n: version(n) for n in ("realtime-mood", "torch", "scikit-learn", "pyriemann", "numpy")}
        | {"python": platform.python_version()},
        "readout": options.readout, "dataset": options.dataset or DATASETS.get(options.readout, ""),
        "labels": study.labels, "track": options.track, "protocol": options.protocol,
        "folds": {fold.split.name: [study.subjects[i].name for i in fold.split.left] for fold in folds},
        "people": len(study.subjects), "seed": options.seed, "people_sha256": digest(list(study.digests)),
        "records_sha256": {p.name: p.sha256 for p in study.subjects}, "channels": dict(study.channel_sets),
        "bootstrap": {"draws": DRAWS, "over": "people", "level": 0.95},
    }  # fmt: skip


def _subjects(
    options: Options, spec: FeatureSpec, executor: Executor, log: Callable[[str], None]
) -> tuple[list[Person], tuple[str, ...], str, DatasetInfo | None]:
    """The subjects, their labels, the meaning of a label, and what is known of a labelled data set."""
    name = options.dataset or DATASETS.get(options.readout)
    if name is None:
        do = f"add it, or use {' or '.join(DATASETS)}"
        raise ConfigError(f"readout {options.readout!r}", "no --dataset given", do)
    if name not in VIRTUAL:
        if options.data is None:
            raise ConfigError(f"data set {name}", "no folder given", "add --root DIR, where you put it")
        choice = DatasetChoice(name, options.data, options.readout, options.felt)
        subjects, info = load_labelled(choice, options.track, spec, executor, log)
        return subjects, labels_of(options.readout, info), choice.meaning(info), info
    if lacking := {"subject-clip": "clips", sessions.PROTOCOL: "sessions"}.get(options.protocol):
        raise ConfigError(f"protocol {options.protocol!r}", f"{name} has no {lacking}", "use groups")
    subjects, labels = load(options.readout, name, options.track, options.n_virtual, spec, executor)
    return subjects, labels, "the state that was simulated", None
