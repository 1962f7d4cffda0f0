"""The verb from end to end: what it writes, and what it says when it cannot."""

from __future__ import annotations

import errno
import json
from io import StringIO
from pathlib import Path

import pytest
from evaluation_people import planted, quick_reader
from rich.console import Console

import app
from realtime_mood.errors import ConfigError
from realtime_mood.models.evaluation import run as running
from realtime_mood.models.evaluation.baselines import Classical, Majority
from realtime_mood.models.evaluation.run import Options, evaluate


@pytest.fixture(scope="module")
def people():
    return [planted(seed) for seed in range(6)]


def test_the_whole_command_writes_figures_a_table_and_pictures(people, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "load", lambda *_: (people, ("rest", "arithmetic")))
    monkeypatch.setattr(running, "methods_of", lambda *_: [Majority(), Classical("lr"), quick_reader(steps=4)])
    options = Options(
        "effort", tmp_path / "out.json", None, "virtual", channels="C3,C4", n_folds=3, n_inner=1, controls=True,
        ablations=True, attention=True,
    )  # fmt: skip
    text = StringIO()
    evaluate(options, ["evaluate", "--readout", "effort"], lambda _: None, Console(file=text, width=200))
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["about"]["command"] == "python app.py evaluate --readout effort"
    assert set(found["results"]) == {"2 of yours"}
    lr = found["results"]["2 of yours"]["lr"]
    assert {p["person"] for p in lr["people"]} == {p.name for p in people}
    assert lr["auc"]["interval"][0] <= lr["auc"]["mean"] <= lr["auc"]["interval"][1]
    assert set(lr["reader_minus_this"]) >= {"auc", "balanced_accuracy"}
    in_time = {"first against last", "later taken for arithmetic"}
    assert set(found["controls"]) >= {"permuted labels", "without gamma", *in_time}
    assert set(found["ablations"]["results"]["2 of yours"]) == {"reader", "raw", "de", "blind", "tenth"}
    assert "without electrode positions, 2 of yours channels: AUC" in text.getvalue()
    assert found["attention"]["leaning"]["people"] == 6
    assert "attention and what the output depends on" in (tmp_path / "out.md").read_text()
    assert "logistic regression" in text.getvalue()
    assert "| 2 of yours | logistic regression |" in (tmp_path / "out.md").read_text()
    for kind in ("reliability", "coverage"):
        assert (tmp_path / f"out-{kind}.png").read_bytes()[:4] == b"\x89PNG"


def test_no_room_for_the_report_is_said_and_the_results_are_kept(people, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "load", lambda *_: (people, ("rest", "arithmetic")))

    def no_room(path: Path, blob: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(running, "write_whole", no_room)
    options = Options(
        "effort", tmp_path / "out.json", None, "virtual", channels="all", methods="majority", n_folds=3, n_inner=1
    )
    with pytest.raises(ConfigError, match=r"No space left.*out\.cache"):
        evaluate(options, [], lambda _: None, Console(file=StringIO()))
    assert list((tmp_path / "out.cache").glob("*.npz"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--track", "l", "--controls"], "use track c1"),
        (["--readout", "joy"], "effort or emotion3"),
        (["--dataset", "virtual", "--readout", "emotion3", "--protocol", "sessions"], "virtual has no sessions"),
        (["--dataset", "virtual", "--readout", "emotion3", "--folds", "2", "--people", "90"], "at least --folds 3"),
        (["--steps", "many"], "not whole numbers"),
        (["--methods", "magic"], "no magic"),
        ([], "--root DIR"),
        (["--methods", "lr", "--ablations"], "add reader"),
        (["--methods", "lr", "--attention"], "add reader"),
        (["--encoder", "/nowhere"], "no encoder.json"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line_and_a_code(words, said, tmp_path, capsys):
    assert app.command(["evaluate", "--json", str(tmp_path / "x.json"), *words]) == (5 if "--encoder" in words else 2)
    assert said in capsys.readouterr().err
