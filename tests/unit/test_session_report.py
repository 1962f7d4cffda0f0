"""The report of a recording says what is in it, whatever is in it, and needs nothing but itself."""

from __future__ import annotations

import json
import re
import stat
import struct
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import htmlpage
import numpy as np
import pytest
from written import ABOUT, CHANS, FINE, READOUT, REAL, Writer, estimate, session, silent

from realtime_mood.body.measure import BodyMeasure, BodyReading, invalid
from realtime_mood.errors import ConfigError, MoodError, SourceNotFound, StreamMismatch
from realtime_mood.export.readings import table_of
from realtime_mood.language import terms
from realtime_mood.modalities import EyeInput, EyeState
from realtime_mood.profile import Profile
from realtime_mood.readout import HeldOutResult
from realtime_mood.recording import xdf_write as xdf
from realtime_mood.recording.reader import open_recorded
from realtime_mood.report import SessionReport, page, report_of, summaries, write_report
from realtime_mood.report.course import course_of
from realtime_mood.report.readings import OTHER, readings_of
from realtime_mood.report.words import MEANINGS, plain, reason, share, span
from realtime_mood.types import Fault, Why

without_figures = pytest.mark.usefixtures("no_figures")


def report(it: Writer, folder: Path, name: str = "a.xdf") -> SessionReport:
    return report_of(open_recorded(it.write(folder / name)))


class Page(htmlpage.Page):
    """One that also needs nothing but itself, and tells no more than it may."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        bare = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=\s]*", "", text)
        assert not re.search(r"https?:|@import|somebody|#010203|#0a0b0", bare)
        assert not {"script", "link", "iframe", "img", "object", "b"} & set(self.tags)
        assert len(self.ids) == len(set(self.ids))
        assert all(link[1:] in self.ids or link.startswith("data:image/png") for link in self.links)


@without_figures
def test_earlier_sessions_of_the_participant_stand_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        f"sub-{who}_ses-{k}_task-mood_run-01_eeg.xdf" for who, k in (("P07", 1), ("P07", 3), ("P08", 1), ("P07", 2))
    ]
    for name in names:
        it = session()
        for _ in range(8):  # 2 s without a reading
            it.signal()
        it.write(tmp_path / name)
    (tmp_path / "sub-P07_ses-0_x.xdf").write_bytes(b"XDF:")  # no recording of ours
    (tmp_path / "sub-P07_ses-4_x.xdf").symlink_to("gone")
    start, made = datetime(2026, 1, 1, tzinfo=UTC), summaries.made
    monkeypatch.setattr(
        summaries,
        "made",
        lambda path: start + timedelta(days=names.index(path.name)) if path.name in names else made(path),
    )
    found = summaries.earlier_sessions(tmp_path / names[3])
    assert [(it.session, it.participant) for it in found] == [("1", "P07"), ("3", "P07")]
    whole = report_of(open_recorded(tmp_path / names[0]))
    assert dict(found[0].means) == pytest.approx(dict(whole.means))
    assert found[0].duration_s == whole.duration_s == pytest.approx(32.0)
    assert (found[0].estimate_share, found[0].good) == pytest.approx((whole.estimate_share, whole.good))
    text = page(whole, found)
    assert "Earlier sessions" in text
    assert "Earlier sessions" not in page(whole)
    assert summaries.earlier_sessions(session().write(tmp_path / "a.xdf")) == []


# -- figures ----------------------------------------------------------------------------------------------------


def test_what_was_planted_is_found(tmp_path: Path) -> None:
    it = report(session(), tmp_path, "sub-P07_ses-2_task-mood_run-01_eeg.xdf")
    assert (it.participant, it.session, it.n_readings, it.n_unusable) == ("P07", "2", 112, 0)
    assert it.made is not None
    assert it.duration_s == pytest.approx(30.0)
    assert it.estimate_s == pytest.approx(10 + 8 + 0.125)  # the first after the gap is valid for half a hop more
    assert {s.why: s.seconds for s in it.abstentions} == pytest.approx({"settling": 5.0, "bad_signal": 5.0})
    assert it.no_reading_s == pytest.approx(2 - 0.125)
    held = np.array([10.0, 8.125])
    means = held @ np.array([[0.2, 0.7, 0.1], [0.1, 0.3, 0.6]]) / held.sum()
    assert [label.name for label in it.labels] == list(READOUT.labels)
    np.testing.assert_allclose([label.mean for label in it.labels], means)
    np.testing.assert_allclose([label.top for label in it.labels], [0, *held / held.sum()])
    assert it.latency_ms == (50.0, 60.0) or it.latency_ms == (40.0, 60.0)
    assert (it.samples.n, it.samples.lost, it.samples.unwritten, it.samples.damaged) == (2800, 200, 0, 0)
    assert it.markers == ((5.0, "eyes open"),)
    assert it.calibrated == 0.0
    assert it.origin.subjects == "simulated subjects"
    assert it.origin.weights == "reader-4"  # not the folder it lay in


@without_figures
def test_the_time_with_eye_movements_is_said(tmp_path: Path) -> None:
    writer = Writer()
    for k in range(1, 21):
        writer.signal()
        eye = EyeInput(EyeState.USED if k <= 15 else EyeState.LOST, np.zeros(33, np.float32) if k <= 15 else None)
        writer.say(replace(estimate(100 * k, (0.2, 0.7, 0.1)), eye=eye))
    it = report(writer, tmp_path)
    assert it.eyes == pytest.approx(0.75)
    assert f"in {share(0.75)} of the time with an estimate" in page(it)
    plain_one = report(session(), tmp_path, "b.xdf")
    assert plain_one.eyes == 0
    assert "eye movements" not in page(plain_one)
    assert table_of(open_recorded(tmp_path / "a.xdf"))["modalities"] == ["eeg+eyes"] * 15 + ["eeg"] * 5


@without_figures
def test_weights_of_a_data_set_say_on_whom_they_were_shown(tmp_path: Path) -> None:
    shown = HeldOutResult("FACED", 40, False, 0.45, 0.41, 0.49, 0.33, True, False)
    about = ABOUT | {"held_out": {READOUT.name: asdict(shown)}}
    it = report(session(about=about), tmp_path)
    assert it.origin.subjects == "40 subjects of FACED"
    assert f"40 subjects of FACED: {shown.figure()}" in Page(page(it)).text
    for wrong in ("<b>", {READOUT.name: "<b>"}, {READOUT.name: {"n_subjects": "many"}}, {"another": asdict(shown)}):
        it = report(session(about=ABOUT | {"held_out": wrong}), tmp_path, "b.xdf")
        assert it.origin.subjects == "simulated subjects"


def test_electrodes_are_judged_over_the_time_they_were_judged(tmp_path: Path) -> None:
    it = report(session(), tmp_path)
    judged = 10 + 5 + 8.125
    assert [e.good for e in it.electrodes] == pytest.approx([1, 1, 15 / judged, 1])
    assert [e.faults for e in it.electrodes][2] == (("line", pytest.approx(8.125 / judged)),)


@without_figures
def test_an_electrode_left_out_by_hand_is_not_called_bad(tmp_path: Path) -> None:
    it = Writer()
    for k in range(8):
        it.signal()
        it.say(estimate(it.end, (0.2, 0.7, 0.1), FINE.without(frozenset({0} if k < 4 else {0, 1}))))
    shares = report(it, tmp_path).electrodes
    assert [(e.good, e.excluded) for e in shares] == [(None, 1.0), (1.0, pytest.approx(0.5)), (1.0, 0.0), (1.0, 0.0)]
    assert "excluded by the user 50%" in page(report(it, tmp_path))


def test_what_came_late_takes_the_place_of_no_data(tmp_path: Path) -> None:
    it = Writer()
    for _ in range(4):
        it.signal()
        it.say(estimate(it.end, (0.2, 0.7, 0.1)))
    for late_s in (0.3, 0.55, 0.8):  # nothing comes for a while, and is made good for
        it.say(replace(silent(it.end, Why.STALE), time=it.end / 100 + late_s))
    for _ in range(2):
        it.signal()
        it.say(estimate(it.end, (0.2, 0.7, 0.1)))
    assert report(it, tmp_path).abstentions == ()
    it.say(replace(silent(it.end, Why.STALE), time=it.end / 100 + 0.25))
    assert [(s.why, s.seconds) for s in report(it, tmp_path).abstentions] == [("stale", pytest.approx(0.25))]


def test_bins_keep_gaps_means_and_extremes(tmp_path: Path) -> None:
    it = Writer()
    for k in range(4000):  # 1000 s: more readings than bins
        it.signal()
        p = 0.9 if k % 2 else 0.5
        gone = 2000 <= k < 2400
        it.say(silent(it.end, Why.UNSURE) if gone else estimate(it.end, (p, 1 - p, 0.0)))
    course = report(it, tmp_path).course
    assert course is not None
    assert course.binned
    assert course.mean.shape == (3, 600)
    middle = (course.edges[1:] + course.edges[:-1]) / 2
    inside = (middle > 502) & (middle < 598)
    outside = (middle < 498) | (middle > 602)
    assert np.isnan(course.mean[:, inside]).all()
    assert np.isfinite(course.mean[:, outside]).all()
    np.testing.assert_allclose(course.low[0, outside], 0.5)
    np.testing.assert_allclose(course.high[0, outside], 0.9)
    np.testing.assert_allclose(course.mean[0, outside], 0.7, atol=0.05)
    np.testing.assert_allclose(course.mean[:, outside].sum(axis=0), 1)
    np.testing.assert_allclose(course.shares.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(course.shares.sum() * course.bin_s, 1000)


def test_a_short_course_shows_every_reading_in_its_place(tmp_path: Path) -> None:
    it = report(session(), tmp_path)
    course = it.course
    assert course is not None
    assert not course.binned
    assert course.mean.shape == (3, 120)
    np.testing.assert_allclose(course.mean[:, 20:60].T, np.tile([0.2, 0.7, 0.1], (40, 1)))
    assert np.isnan(course.mean[:, :20]).all()
    np.testing.assert_allclose(course.lost, [0.0] * 80 + [1.0] * 8 + [0.0] * 32, atol=1e-9)
    said = readings_of(open_recorded(tmp_path / "a.xdf"))
    assert course_of(said, 30.0).lost.sum() == 0


# -- the page ---------------------------------------------------------------------------------------------------


def test_the_page_says_it_all_and_stands_alone(tmp_path: Path) -> None:
    path = session().write(tmp_path / "sub-P07_ses-2_task-mood_run-01_eeg.xdf")
    made = write_report(path)
    assert made == path.with_suffix(".html")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == [made.name, path.name]
    it = Page(made.read_text(encoding="utf-8"))
    assert it.tags["svg"] == it.tags["figure"] == it.tags["figcaption"] == 3
    assert {
        "SIMULATED",
        "Session report · P07",
        "settling",
        "poor signal",
        "no reading",
        "eyes open",
        "0:05.0",
    } - {*it.texts} <= {"0:05.0"}
    assert "Estimates are available for 60% of 30 s." in it.text
    assert "200 missing in between (7%, 2 s)" in it.text
    assert "trained on simulated subjects" in it.text
    assert "It has never seen a real person's emotion" in it.text
    assert "This recording comes from a simulated subject" in it.text
    assert "not a medical device" in it.text
    assert "not a fact about a person" in it.text
    assert "mains hum" in it.text


@without_figures
def test_a_real_person_is_not_called_virtual(tmp_path: Path) -> None:
    text = page(report(session(REAL), tmp_path))
    assert "SIMULATED" not in text
    assert "comes from a simulated subject" not in text


@without_figures
def test_no_answer_at_all_is_said(tmp_path: Path) -> None:
    it = Writer(REAL)
    for _ in range(40):
        it.signal()
        it.say(silent(it.end, Why.UNCALIBRATED))
    text = Page(page(report(it, tmp_path))).text
    assert "There is no estimate in 10 s. Most frequent reason: not calibrated." in text
    for _ in range(80):  # twice as long without a reading
        it.signal()
    text = Page(page(report(it, tmp_path))).text
    assert "There is no estimate in 30 s. Most frequent reason: no reading." in text


@pytest.mark.parametrize("with_signal", [True, False])
def test_a_recording_without_readings_gives_a_page_that_says_so(tmp_path: Path, with_signal: bool) -> None:
    it = Writer()
    if with_signal:
        it.signal()
    read = Page(page(report(it, tmp_path)))
    assert "The recording contains no readings." in read.text
    assert read.tags["svg"] == 0


HOSTILE = '<b onclick="x()">$x$ &amp; \u202e\x07</b><script>1</script>日本\ud800' + "y" * 500


def test_words_from_the_file_stay_words(tmp_path: Path) -> None:
    info = replace(REAL, name=HOSTILE[:60].replace("\ud800", ""), reference="<b>r</b>", notes=("<b>n</b>", "& so"))
    about = {"version": HOSTILE, "weights": "<b>w</b>", "sha256": ["<b>"], "notch": {"<b>": 1}, "profile": {"x": "<b>"}}
    about["evidence"] = ["<b>"]
    about["held_out"] = {HOSTILE: asdict(HeldOutResult(HOSTILE, 9, False, 0.5, 0.4, 0.6, 0.3, True, True))}
    it = Writer(info, about)
    for k in range(20):
        it.signal(markers=(HOSTILE.replace("\ud800", ""),) if k % 5 == 0 else ())
        said = {
            "kind": "estimate" if k < 10 else "abstained", "t": it.end / 100, "end": it.end, "readout": HOSTILE,
            "labels": [HOSTILE, "<b>two</b>"], "probs": [0.4, 0.6], "why": HOSTILE, "faults": {HOSTILE: HOSTILE},
            "quality": 0.5,
        }  # fmt: skip
        it.words(json.dumps(said))
    made = report(it, tmp_path)
    read = Page(page(made))
    assert [s.why for s in made.abstentions] == ["other"]
    assert '<b onclick="x()">$x$ &amp; ��</b><script>1</script>日本' in read.text
    assert "<b>two</b>" in read.text
    assert not set("\u202e\x07") & set(read.text)
    assert write_report(tmp_path / "a.xdf").exists()


@without_figures
@pytest.mark.parametrize(
    "said",
    [
        {"kind": "estimate", "t": 1.0, "probs": [0.5, float("nan"), 0.5]},
        {"kind": "estimate", "t": 1.0, "probs": [10**400, 0, 0]},
        {"kind": "estimate", "t": 1.0, "probs": [0.5, 0.5]},
        {"kind": "estimate", "t": 1.0, "probs": None},
        {"kind": "estimate", "t": float("inf"), "probs": [0.2, 0.7, 0.1]},
        {"kind": "abstained", "t": -1.0, "probs": None},
        {"kind": "abstained", "t": "1", "probs": None},
        {"kind": ["estimate"], "t": 1.0, "probs": None},
        {"probs": None},
    ],
)
def test_a_reading_that_says_nothing_is_counted_and_left_out(tmp_path: Path, said: dict[str, Any]) -> None:
    it = session()
    it.words(json.dumps({"readout": "emotion3", "labels": list(READOUT.labels), "end": 10**30} | said))
    made = report(it, tmp_path)
    assert (made.n_readings, made.n_unusable) == (112, 1)
    assert "1 reading in the file could not be used" in page(made)


def test_odd_fields_of_a_usable_reading_do_no_harm(tmp_path: Path) -> None:
    it = session()
    odd = {"why": [], "labels": {}, "faults": [1], "latency_ms": "x", "calibrated": 1, "quality": "good", "readout": 3}
    it.words(json.dumps({"kind": "abstained", "t": 31.0, "end": 3100, "probs": None} | odd))
    made = report(it, tmp_path)
    assert (made.n_readings, made.n_unusable, made.calibrated) == (113, 0, 0.0)
    assert Page(page(made)).tags["svg"] == 3


@without_figures
def test_only_so_many_markers_are_listed(tmp_path: Path) -> None:
    it = Writer()
    for k in range(250):
        it.signal(markers=(f"m{k}",))
    it.say(estimate(it.end, (0.2, 0.7, 0.1)))
    made = report(it, tmp_path)
    assert (len(made.markers), made.n_markers, made.markers[-1]) == (200, 250, (49.75, "m199"))
    assert "The first 200 of 250 markers are listed." in page(made)


@without_figures
def test_damage_is_said(tmp_path: Path) -> None:
    blob = bytearray(session().write(tmp_path / "a.xdf").read_bytes())
    at = blob.index(xdf.MARK, len(blob) // 2) + len(xdf.MARK)  # where a chunk begins: its length is gone
    blob[at : at + 300] = bytes(300)
    (tmp_path / "a.xdf").write_bytes(blob)
    made = report_of(open_recorded(tmp_path / "a.xdf"))
    assert made.samples.damaged >= 300
    assert f"{made.samples.damaged:,} bytes of the file are damaged" in page(made)
    assert 0 < made.n_readings < 112


def test_any_damage_gives_a_page_or_a_plain_error(tmp_path: Path) -> None:
    whole = session().write(tmp_path / "whole.xdf").read_bytes()
    rng, pages = np.random.default_rng(5), 0
    for n in range(60):
        blob = bytearray(whole[: rng.integers(4, len(whole))] if n % 3 == 0 else whole)
        for at in rng.integers(0, len(blob), 1 + n % 7):
            blob[at] = rng.integers(256)
        (tmp_path / "a.xdf").write_bytes(blob)
        try:
            made = report_of(open_recorded(tmp_path / "a.xdf"))
        except MoodError:
            continue
        pages += 1
        if n % 10 == 0:
            Page(page(made))
    assert pages > 10


@without_figures
def test_a_signal_that_cannot_be_followed_is_said(tmp_path: Path) -> None:
    it = session()
    far = np.array([[10**15, 0, 0]], np.int64)
    it.parts.append(it.tape._numbers(5, np.array([it.tape.position.stamp]), far))
    it.signal()
    made = report(it, tmp_path)
    assert made.samples.n == 2800
    assert "could not be read to its end" in page(made)


@without_figures
def test_what_was_not_written_is_said(tmp_path: Path) -> None:
    it = session()
    it.tape.leave_out(100)
    it.signal(lost=100)
    made = report(it, tmp_path)
    assert (made.samples.lost, made.samples.unwritten) == (300, 100)
    assert "100 samples (1 s) were received but not written" in page(made)


@without_figures
def test_a_readout_of_ones_own_says_what_shows_that_it_works(tmp_path: Path) -> None:
    grid = [[0.0] * 5] * 4
    verdict = {
        "balanced_accuracy": 0.74, "interval": [0.61, 0.87], "chance": 0.33, "p": 0.01, "ece": 0.07, "time_only": 0.3,
        "blocks": [4, 4, 4], "seconds": 120, "confusion": [[1, 0, 0]] * 3, "passed": True, "text": "",
    }  # fmt: skip
    own = {
        "name": "emotion3", "labels": list(READOUT.labels), "coordinates": [[0, 0]] * 3, "base": "",
        "weights": "reader-4", "weights_sha256": "ab" * 32, "head_sha256": "", "temperature": 1.0,
        "least_confidence": 0.4, "verdict": verdict,
    }  # fmt: skip
    profile = {
        "ch_names": CHANS, "reference": "average", "virtual": False, "readout": None, "spec": {}, "mean": grid,
        "sd": grid, "seconds": 57.4, "made": "2026-01-01T10:20:30+00:00", "own": own,
    }  # fmt: skip
    stored = Profile.model_validate(profile).stored()
    made = report(session(REAL, ABOUT | {"profile": stored}), tmp_path)
    text = Page(page(made)).text
    assert "57 s of the subject's own rest, recorded on 2026-01-01" in text
    assert "balanced accuracy 0.74 (95 % CI 0.61 to 0.87), chance 0.33" in text
    assert "never seen a real person" not in text


# -- files ------------------------------------------------------------------------------------------------------


@without_figures
def test_a_report_is_replaced_and_nothing_else_ever_is(tmp_path: Path) -> None:
    path = session().write(tmp_path / "a.xdf")
    first = write_report(path)
    assert write_report(path) == first == tmp_path / "a.html"
    first.write_text("<!DOCTYPE html>\nmine")
    assert write_report(path) == tmp_path / "a_2.html"
    assert first.read_text() == "<!DOCTYPE html>\nmine"
    (tmp_path / "a_2.html").unlink()
    (tmp_path / "a_2.html").symlink_to(tmp_path / "elsewhere")
    assert write_report(path) == tmp_path / "a_3.html"
    assert not (tmp_path / "elsewhere").exists()


@without_figures
def test_a_place_can_be_asked_for(tmp_path: Path) -> None:
    path, new = session().write(tmp_path / "a.xdf"), tmp_path / "new" / "page.html"
    assert write_report(path, new) == new == write_report(path, new)
    assert write_report(path, new.parent) == new.parent / "a.html"
    for other in (path, tmp_path / "b.txt"):
        other.touch()
        was = other.read_bytes()
        with pytest.raises(ConfigError, match="that is another file"):
            write_report(path, other)
        assert other.read_bytes() == was
    with pytest.raises(ConfigError, match="choose another"):
        write_report(path, tmp_path / "b.txt" / "page.html")
    with pytest.raises(ConfigError, match="HTML page"):
        write_report(path, tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


def test_what_is_no_recording_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        write_report(tmp_path / "none.xdf")
    (tmp_path / "a.xdf").write_bytes(b"XDF:" + struct.pack("<BBH", 1, 2, xdf.BOUNDARY))
    with pytest.raises(StreamMismatch, match="not a recording of this program"):
        write_report(tmp_path / "a.xdf")
    assert [p.name for p in tmp_path.iterdir()] == ["a.xdf"]


# -- words ------------------------------------------------------------------------------------------------------


def test_shares_and_times_are_not_rounded_into_untruths() -> None:
    assert [share(x) for x in (0, 0.001, 0.5, 0.999, 1)] == ["0%", "under 1%", "50%", "over 99%", "100%"]
    assert [span(x) for x in (0, 0.5, 40, 59.9, 270, 3725)] == [
        "0 s",
        "0.5 s",
        "40 s",
        "1 min",
        "4 min 30 s",
        "1 h 02 min",
    ]
    assert plain("a\tb\x00\u202ec") == "a b��c"


def test_the_words_and_colours_are_those_of_the_window() -> None:
    from importlib.resources import files

    from realtime_mood.gui.theme import THEMES
    from realtime_mood.viewmodel.words import FAULT_WORDS, WHY_WORDS

    assert {why.value: words for why, words in WHY_WORDS.items()} == {why.value: reason(why.value) for why in Why}
    assert {why.value for why in Why} == terms.REASONS.keys() == MEANINGS.keys() - {OTHER}
    short = {Fault.DECORRELATED.value: "uncorrelated"}  # where there is little room
    assert {fault.value: words for fault, words in FAULT_WORDS.items()} == terms.FAULTS | short
    css = files("realtime_mood.report").joinpath("templates/page.css").read_text(encoding="utf-8")
    for k in range(5):
        colours = re.findall(rf"--label{k}: (#\w+)", css)
        light, dark = (THEMES[theme][f"label{k}"] for theme in ("light", "dark"))
        assert colours == [light, dark, light]  # on a screen, in the dark, on paper


@without_figures
def test_drift_and_a_renewed_baseline_are_in_the_summary(tmp_path):
    w = Writer()
    for markers in (
        ("drift: alpha -1.24 SD",),
        ("baseline: rest", "baseline: yodel"),
        ("baseline: use", "correction: neutral"),
    ):
        w.signal(markers=markers)
        w.say(estimate(w.end, (0.2, 0.3, 0.5)))
    text = htmlpage.Page(page(report_of(open_recorded(w.write(tmp_path / "a.xdf"))))).text
    assert "moved away from the baseline (alpha -1.24 SD)" in text
    assert text.index("moved away") < text.index("rest for a new baseline was begun") < text.index("was requested")
    assert "labelled the ten seconds before as neutral" in text
    assert "yodel" not in text.partition("Summary")[2].partition("Summary by label")[0]


# -- measures of the body ---------------------------------------------------------------------------------------


def test_measures_of_the_body_have_their_lines_with_gaps(tmp_path: Path) -> None:
    it = session()
    assert report(it, tmp_path).body.measures == ()
    assert "Measures of the body" not in Page(page(report(it, tmp_path))).text
    for second in range(2, 29):
        heart = BodyMeasure("heart_rate", 60.0 + second, 0.9) if second < 20 else invalid("heart_rate", "noisy")
        measures = heart, invalid("skin_conductance", "unknown unit")
        it.parts.append(it.tape.put_body(BodyReading(float(second), float(second), measures)))
    found = report(it, tmp_path, "b.xdf")
    heart, skin = found.body.measures
    assert (heart.name, heart.unit, heart.valid) == ("heart_rate", "1/min", pytest.approx(18 / 27))
    assert heart.whys == (("noisy", pytest.approx(9 / 27)),)
    np.testing.assert_allclose(heart.course[2:19], np.arange(63, 80), atol=1)
    assert np.isnan(heart.course[21:]).all()
    assert (skin.valid, skin.whys) == (0.0, (("unknown unit", 1.0),))
    text = Page(page(found)).text
    assert "Measures of the body" in text
    assert "70.5 /min (62." in text
    assert "unknown unit 100%" in text
