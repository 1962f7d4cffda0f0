"""The page about sessions of feedback: what was learnt, and nothing that would tell a sealed condition."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from htmlpage import Page

import app
from realtime_mood.errors import SourceNotFound, StreamMismatch
from realtime_mood.feedback import sealed
from realtime_mood.feedback.conditions import condition
from realtime_mood.feedback.loop import _number
from realtime_mood.feedback.measures import RATE_HZ, Sample
from realtime_mood.feedback.plan import FeedbackPlan
from realtime_mood.feedback.session import FeedbackSession
from realtime_mood.report.feedback import binned, page, read, write_feedback_report
from realtime_mood.report.study import study_of

SFREQ = 120.0
PLAN = FeedbackPlan.model_validate({
    "name": "test", "title": "<b>More</b> alpha", "about": "a", "consent": "c", "debrief": "d",
    "measures": [{"kind": "band", "electrodes": ["O1"]}],
    "blocks": [
        {"kind": "baseline", "seconds": 20}, {"kind": "feedback", "seconds": 90}, {"kind": "transfer", "seconds": 15},
    ],
})  # fmt: skip


@pytest.fixture
def lines(tmp_path):
    """Writes a session whose subject rises by a standard deviation a minute, and is invalid for ten seconds."""

    def write(name: str, drawn: str, **about) -> None:
        it = FeedbackSession(PLAN, SFREQ, condition(drawn, smoothing_s=0.5, rate_hz=RATE_HZ, seed=1))
        rng, path = np.random.default_rng(0), tmp_path / name
        rows = [{"kind": "session", "plan": PLAN.model_dump(mode="json"), "virtual": True, **about}]
        for k in range(round(130 * RATE_HZ)):
            t = k / RATE_HZ
            why = "flat" if 50 <= t < 60 else ""
            fed = it.step(Sample(round((k + 1) * SFREQ / RATE_HZ), (rng.normal() + max(0, t - 20) / 60,), why))
            if fed is not None:
                rows.append({"kind": fed.kind, "t": t, "block": fed.block, "level": fed.level, "reward": fed.reward,
                             "why": fed.why, "z": _number(fed.z), "shown": _number(fed.shown),
                             "delay_ms": 3.0})  # fmt: skip
        path.write_text("\n".join(map(json.dumps, rows)) + '\n{"kind": "end"}\n{"torn')
        return path

    return write


def test_the_z_score_is_the_subjects_own_and_invalid_time_is_reported(lines):
    it = read(lines("a.jsonl", "inverse", condition="inverse"))
    at, mean, _ = binned(it, it.z, np.isfinite(it.z))
    assert abs(mean[0]) < 0.3
    assert mean[-1] == pytest.approx((at[-1] - 20) / 60, abs=0.4)
    assert it.invalid_s == pytest.approx(10.0)
    assert it.mean_z("transfer") == pytest.approx(1.6, abs=0.4)
    text = page([it])
    assert it.reference == "recorded"
    assert "of the measures" in text
    assert "10 s · 11%" in text
    assert "3.0 / 3.0 ms" in text
    assert f"{it.mean_z('transfer'):+.2f}" in text
    assert "SIMULATED" in text
    assert "<b>" not in text
    assert text.count("<svg") == 2


def test_a_sealed_session_does_not_tell_until_its_code_is_opened(lines, tmp_path):
    study = tmp_path / "study.json"
    (code,) = sealed.seal(study, ("inverse",), 1)
    path = lines("a.jsonl", "inverse", code=code)
    for opened in (None, study):
        it = read(path, opened)
        assert not np.isfinite(it.z).any()
        assert "inverse" not in page([it])
    sealed.unblind(study, code)
    assert "inverse" in page([read(path, study)])
    assert np.isfinite(read(path, study).z).any()


def test_sessions_stand_beside_one_another(lines, tmp_path, capsys):
    a, b = lines("a.jsonl", "contingent", condition="contingent"), lines("b.jsonl", "sham", condition="sham")
    assert app.command(["report", str(a), str(b)]) == 0
    written = tmp_path / "a.html"
    assert capsys.readouterr().out.strip() == str(written)
    text = written.read_text()
    assert {"1 · contingent", "2 · sham", "1 · a.jsonl", "2 · b.jsonl"} <= set(Page(text).texts)
    assert written.stat().st_mode & 0o077 == 0
    write_feedback_report([a])  # its own page is replaced
    written.write_text("mine")
    assert app.command(["report", str(a)]) == 2
    assert written.read_text() == "mine"


def test_a_study_shows_learning_and_what_is_sealed_only_when_opened(lines, tmp_path, capsys):
    sealed_file = tmp_path / "study.json"
    (code,) = sealed.seal(sealed_file, ("inverse",), 1)
    for name in ("sub-A_1", "sub-A_2", "sub-B_1", "sub-C_1"):
        lines(f"{name}.jsonl", "contingent", condition="contingent")
    lines("sub-B_2.jsonl", "sham", condition="sham")  # a session is numbered whatever its condition
    lines("sub-B_10.jsonl", "contingent", condition="contingent")
    lines("sub-D_1.jsonl", "inverse", code=code)
    (tmp_path / "broken.jsonl").write_text("{}")
    assert app.command(["report", str(tmp_path)]) == 0
    page_path = tmp_path / "study.html"
    assert capsys.readouterr().out.strip() == str(page_path)
    text = page_path.read_text()
    assert "inverse" not in text
    assert "broken.jsonl" in text
    assert text.count("<svg") == 1
    assert Page(text).tags["thead"] == 2
    points = study_of([tmp_path]).curves["contingent"]
    assert [(point.session, point.n) for point in points] == [(1, 3), (2, 1), (3, 1)]
    z = read(tmp_path / "sub-B_1.jsonl").mean_z("feedback")
    assert points[0].mean == pytest.approx(z)
    assert points[0].low == pytest.approx(z) == points[0].high  # all three are the same
    assert math.isnan(points[1].low)  # no interval from one participant
    sealed.unblind(sealed_file, code)
    assert set(study_of([tmp_path], sealed_file).curves) == {"contingent", "inverse", "sham"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceNotFound, match="no recording"):
        study_of([tmp_path / "empty"])


def test_what_is_no_session_is_refused(tmp_path):
    with pytest.raises(SourceNotFound):
        read(tmp_path / "none.jsonl")
    with pytest.raises(StreamMismatch, match="cannot be read"):
        read(tmp_path)
    for text in ('{"kind": "estimate"}', '{"kind":' * 100_000 + "}"):
        (tmp_path / "a.jsonl").write_text(text)
        with pytest.raises(StreamMismatch, match="not a neurofeedback session"):
            read(tmp_path / "a.jsonl")
