"""Objectives of pre-training compared at equal budget: shares explained, and linear probes, on subjects never seen.

``python -m benchmarks.objectives --root DIR --out DIR`` trains an encoder for each variant on the Muse recordings, the
children and simulated subjects of the archives in the root, for about three minutes on one core; a run that was stopped
continues. All of EEGMAT, BioHack, DASPS and the exoskeleton's lights is left for the figures: ``objectives.json``, and
``objectives.md`` as a table. Differences are paired by subject, with 95 % CIs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from rich.console import Console
from safetensors.torch import load_file

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Population
from realtime_mood.models.datasets.corpus import PreparedSession, gather
from realtime_mood.models.datasets.recordings import find
from realtime_mood.models.datasets.sets.eegmat import HELD_OUT
from realtime_mood.models.evaluation.figures import text_of
from realtime_mood.models.evaluation.probe import ProbeOptions, evaluate_probes
from realtime_mood.models.evaluation.splits import same_person
from realtime_mood.models.pretrain import pretrain
from realtime_mood.models.pretraining.objective import MaskedModelling
from realtime_mood.models.pretraining.parts import HeldOutParts
from realtime_mood.models.pretraining.recipe import LOG_POWER, PretrainingRecipe

CORPUS = ("muse_sequence_learning_220hz", "muse_lsl_256hz", "children_task_19ch_128hz")
UNSEEN = ("eegmat_dev24_125hz", "biohack2025_muse_256hz", "ssvep_exo_256hz", "dasps_epoc_128hz")
N_VIRTUAL = 200
TASKS = "eegmat,ssvep,imagining,biohack"
ROWS = "bands,untrained,encoder"
LABEL_SHARES = (1.0, 0.1)
BASE = PretrainingRecipe(raw_dim=128, raw_depth=4, batch=32, lr=2e-3, steps=1600, geometry="blocks", patience=1000)
HIDDEN_POWER: dict[str, Any] = LOG_POWER | {"own": False}
SPECTRAL: dict[str, Any] = HIDDEN_POWER | {"raw_token": "spectrum", "geometry": "random", "hidden": 0.5}
VARIANTS: dict[str, dict[str, Any]] = {
    "spectral": SPECTRAL | {"steps": 3000},
    "spectral-slow": SPECTRAL | {"context_s": 10.0, "own": True, "steps": 2000},
    "spectral-own": SPECTRAL | {"own": True, "steps": 3000},
    "base": {},
    "power": HIDDEN_POWER,
    "spectral-average": SPECTRAL | {"own": True, "average": True, "steps": 3000},
    "spectral-contrast": SPECTRAL | {"own": True, "average": True, "contrast": 0.1, "steps": 3000},
    "power-own": LOG_POWER,
    "samples": {"spectrum": 0.0},
    "both": HIDDEN_POWER | {"waveform": 1.0},
    "coming": {"geometry": "coming", "hidden": 0.25, "steps": 950},
    "random": {"geometry": "random"},
    "two-seconds": {"n_patches": 2, "steps": 2000},
    "large": {"raw_dim": 208, "raw_depth": 5, "steps": 700},
}


def trained(name: str, root: Path, out: Path) -> dict[str, Any]:
    """Train a variant, or finish it; its parameters, steps and processor time."""
    folder, recipe = out / name, recipe_of(name)
    jobs, _ = find([str(root / f"{each}.npz") for each in CORPUS], N_VIRTUAL)
    begun = process_time()
    log = (out / f"{name}.log").open("a")
    pretrain(jobs, folder, recipe, cache=out / "corpus", resume=(folder / "last.safetensors").is_file(),
             log=partial(print, file=log, flush=True))  # fmt: skip
    n = sum(p.numel() for p in MaskedModelling(recipe, FeatureSpec()).encoder.parameters())
    return {"parameters": n, "steps": recipe.steps, "cpu_s": process_time() - begun}


def recipe_of(name: str) -> PretrainingRecipe:
    """The base with the changes of a variant; four validations."""
    recipe = replace(BASE, **VARIANTS[name])
    return replace(recipe, every=recipe.steps // 4)


def explained(name: str, out: Path, sessions: Sequence[PreparedSession]) -> dict[str, dict[str, float]]:
    """The shares explained by a trained variant, with its decoder, on subjects that it has not seen."""
    spec, recipe = FeatureSpec(), recipe_of(name)
    model = MaskedModelling(recipe, spec).eval()
    state = load_file(out / name / "last.safetensors")
    model.load_state_dict({k.removeprefix("model."): x for k, x in state.items() if k.startswith("model.")})
    known = json.loads((out / name / "encoder.json").read_text())["population"]
    pop = Population(*(np.array(known[key]) for key in ("mean", "sd")))
    return HeldOutParts(sessions, pop, spec, recipe, model, torch.device("cpu"))()


def probes(encoder: Path, root: Path, out: Path, share: float) -> dict[str, dict[str, Any]]:
    """Balanced accuracy of probes of an encoder by task and electrodes, and paired differences."""
    file = out / "probes" / f"{encoder.name}-{share:g}.json"
    options = ProbeOptions(file, root, TASKS, ROWS, encoder, label_share=share, cache=out / "probes")
    evaluate_probes(options, (), lambda _: None, Console(quiet=True))
    tasks = json.loads(file.read_text())["tasks"]
    kept = ("balanced_accuracy", "minus_untrained", "minus_bands")
    return {
        f"{task} {channels}": {row: {key: m[key] for key in kept if key in m} for row, m in rows.items()}
        for task, found in tasks.items()
        for channels, rows in found["sets"].items()
    }


def markdown(result: Mapping[str, Any]) -> str:
    """A row for each variant: shares explained, and probes."""
    parts = sorted({part for found in result.values() for part in found["explained"]})
    lines = []
    for name, found in result.items():
        shares = [found["explained"][part] for part in parts]
        cells = [" / ".join(f"{s[t]:.1%}" if t in s else "–" for t in ("total", "patch", "spectrum")) for s in shares]
        lines.append([name, f"{found['parameters'] / 1e6:.2f}", f"{found['cpu_s']:.0f}", *cells])
    tables = [_table(("variant", "M parameters", "CPU s", *parts), lines)]
    for share in LABEL_SHARES:
        rows = []
        for name, found in result.items():
            for task, by_row in found.get(f"probes {share:g}", {}).items():
                own, less = by_row["encoder"], ("minus_untrained", "minus_bands")
                rows.append([
                    name, task, *(f"{by_row[row]['balanced_accuracy']['mean']:.3f}" for row in ("bands", "untrained")),
                    text_of(own["balanced_accuracy"]), *(text_of(own[x], "+") for x in less),
                ])  # fmt: skip
        heads = (
            "variant",
            f"task ({share:g} of the labels)",
            "bands",
            "untrained",
            "encoder",
            "− untrained",
            "− bands",
        )
        tables.append(_table(heads, rows))
    return "\n\n".join(tables) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *rows))


def main() -> None:
    """Train and measure the variants that are not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", default=",".join(VARIANTS), help="some of " + ", ".join(VARIANTS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    root, out, file = options.root, options.out, options.out / "objectives.json"
    out.mkdir(parents=True, exist_ok=True)
    jobs, _ = find([str(root / f"{each}.npz") for each in UNSEEN], with_eegmat=True)
    kept = [job for job in jobs if same_person(job.subject) not in HELD_OUT]
    unseen = gather(kept, FeatureSpec(), out / "corpus", lambda _: None)
    result: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for name in options.variants.split(","):
        found = result.setdefault(name, {})
        if "explained" not in found:
            found |= trained(name, root, out)
            found["explained"] = explained(name, out, unseen)
            file.write_text(json.dumps(result, indent=1))
        for share in LABEL_SHARES:
            if f"probes {share:g}" not in found:
                found[f"probes {share:g}"] = probes(out / name, root, out, share)
                file.write_text(json.dumps(result, indent=1))
        (out / "objectives.md").write_text(markdown(result))
        print(markdown({name: found}), flush=True)


if __name__ == "__main__":
    main()
