"""Subjects made from labelled recordings: labels, baseline and causal order by the second."""

from __future__ import annotations

import json

import numpy as np
import planted_set
import pytest
from planted_set import NAMES, REST_S, TRIAL_S, info_of, recording

from realtime_mood.dsp.eye import FEATURES, SEED_IV, by_step
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import MoodError
from realtime_mood.models.datasets.person import NO_LABEL, frozen_statistics, population
from realtime_mood.models.datasets.preparing import jobs_of, labelled, load, prepare, subjects
from realtime_mood.models.datasets.trials import Recording, Segment, Span, Trial
from realtime_mood.sources.synthetic.eyes import VirtualEyes
from realtime_mood.types import StreamInfo

SPEC = FeatureSpec()


def here(work, jobs):
    return ((i, work(None, job)) for i, job in enumerate(jobs))


def one(tmp_path, *recordings, baseline="rest", readout="emotion3", felt=False):
    info = info_of(baseline)
    (job,) = jobs_of(recordings, info, SPEC, tmp_path)
    prepare(job)
    return labelled(load(job), info, readout, felt=felt, baseline_s=60, spec=SPEC)


def test_every_second_has_its_trial_label_and_piece(tmp_path):
    rec = recording(1)
    p = one(tmp_path, rec)
    assert len(p.label) == REST_S + 6 * TRIAL_S
    for k, trial in enumerate(rec.trials):
        at = slice(REST_S + k * TRIAL_S, REST_S + (k + 1) * TRIAL_S)
        y = planted_set.LABELS.index(trial.label)
        assert (p.trial[at] == k).all()
        assert len(set(p.piece[at])) == 1
        settle = int(TRIAL_S * 0.25)
        assert (p.label[at][settle:] == y).all()
        assert (p.label[at][:settle] == NO_LABEL).all()
    assert p.rest[:REST_S].sum() == p.there[:REST_S].sum()
    assert not p.rest[REST_S:].any()
    beta = p.de[:, 0, 3]
    assert beta[p.label == 2].mean() > beta[p.label == 1].mean() + 0.3 > beta[p.label == 0].mean() + 0.5


def test_sessions_have_their_own_baselines(tmp_path):
    p = one(tmp_path, recording(1, "1"), recording(1, "2"))
    assert [len(at) for at in p.sessions] == [REST_S + 6 * TRIAL_S] * 2
    assert [t.session for t in p.trials] == ["1"] * 6 + ["2"] * 6
    mean, _ = frozen_statistics(p, population([p]), SPEC)
    for i, at in enumerate(p.sessions):
        np.testing.assert_allclose(
            mean[at[-1]], p.profile(SPEC, i).statistics(p.info, SPEC, np.ones(5)).mean, atol=1e-5
        )
    assert np.abs(mean[p.sessions[0][0]] - mean[p.sessions[1][0]]).max() > 0


def test_neutral_clips_serve_as_baseline_and_what_came_before_has_no_label(tmp_path):
    rec = recording(3, with_rest=False)
    p = one(tmp_path, rec, baseline="neutral")
    assert set(p.trial[p.rest]) == {t.position for t in rec.trials if t.label == "neutral"}
    assert p.rest.sum() <= 60
    assert (p.label[: p.rest.nonzero()[0].max() + 1] == NO_LABEL).all()


def test_felt_labels_follow_the_ratings(tmp_path):
    p = one(tmp_path, recording(2), readout="valence", felt=True)
    for k, trial in enumerate(p.trials):
        found = set(p.label[p.trial == k].tolist()) - {NO_LABEL}
        assert found == ({0} if trial.label == "negative" else {1} if trial.label == "positive" else set())


def test_shipped_features_are_taken_as_they_are(tmp_path):
    trials = (Trial(0, "a", "negative"), Trial(1, "b", "positive"))
    de = np.random.default_rng(0).standard_normal((40, 6, 5)).astype(np.float32)
    shipped = [Segment((Span(0, 160, t),), de=de + t.position) for t in trials]
    rec = Recording("01", "1", StreamInfo(NAMES, 200.0), trials, lambda: iter(shipped), window_s=4.0)
    p = one(tmp_path, rec, baseline="start")
    assert not p.raw
    np.testing.assert_array_equal(p.de, np.concatenate([de, de + 1]))
    assert (p.trial == np.repeat([0, 1], 40)).all()


def test_a_subject_is_prepared_once_and_a_changed_file_again(tmp_path):
    file = tmp_path / "a.dat"
    file.write_bytes(b"1")
    rec = recording(1)
    kept = Recording(rec.subject, rec.session, rec.info, rec.trials, rec.segments, (file,))
    (job,) = jobs_of([kept], info_of(), SPEC, tmp_path)
    prepare(job)
    made = (job.folder / "de.npy").stat().st_mtime_ns
    prepare(job)
    assert (job.folder / "de.npy").stat().st_mtime_ns == made
    file.write_bytes(b"22")
    assert jobs_of([kept], info_of(), SPEC, tmp_path)[0].folder != job.folder


def test_a_damaged_subject_is_left_out_and_named(tmp_path):
    def damaged():
        raise MoodError("read x.mat", "truncated", "download it again")

    rec = recording(2)
    bad = Recording("09", "1", rec.info, rec.trials, damaged)
    said: list[str] = []
    found = list(subjects(jobs_of([rec, bad], info_of(), SPEC, tmp_path), here, said.append))
    assert [job.name for job, _ in found] == ["planted-02"]
    assert said == ["planted-09 left out: truncated"]
    assert not list(tmp_path.glob("*.part"))
    assert json.loads((found[0][0].folder / "subject.json").read_text())["name"] == "planted-02"


def test_sessions_of_different_caps_use_what_they_share(tmp_path):
    a, b = recording(1, "1"), recording(1, "2", names=(*NAMES[::-1][:5], "Fp9"))
    with pytest.raises(Exception, match="no electrode"):
        one(tmp_path, a, recording(1, "2", names=tuple(f"A{i}" for i in range(6))))
    p = one(tmp_path, a, b)
    assert p.info.ch_names == tuple(n for n in NAMES if n in b.info.ch_names)


def of_segments(tmp_path, segments, **how):
    trials = tuple(span.trial for segment in segments for span in segment.spans)
    rec = Recording("01", "1", StreamInfo(NAMES, 128.0), trials, lambda: iter(segments), **how)
    (job,) = jobs_of([rec], info_of(), SPEC, tmp_path)
    prepare(job)
    return load(job)


def shown(at: int, seconds: float, **given) -> Segment:
    return Segment((Span(0, seconds, Trial(at, f"clip{at}", "neutral")),), **given)


def test_gaze_becomes_eye_movements_of_the_same_seconds(tmp_path):
    gaze = VirtualEyes(3, lambda t_s: "positive" if t_s >= 20 else "neutral", 0.7).signal(40)
    gaze[:300] = np.nan
    signal = planted_set.signal_of(1, 30, 4.0)
    p = of_segments(tmp_path, [
        shown(0, 30, signal=signal, gaze=gaze[:2400], gaze_sfreq=60.0),  # of 40 s
        shown(1, 30, signal=signal),
        shown(2, 30, signal=signal, gaze=gaze[:1200], gaze_sfreq=60.0),
    ])  # fmt: skip
    expected, _ = by_step(gaze, 60.0)
    assert p.eye.shape == (90, 33)
    np.testing.assert_array_equal(p.eye[:30], expected[:30])
    assert np.isnan(p.eye[:5]).all()
    assert np.isnan(p.eye[30:60]).all()
    np.testing.assert_array_equal(p.eye[60:80], expected[:20])
    assert np.isnan(p.eye[80:]).all()
    width = FEATURES.index("pupil mean x")
    assert p.eye[29, width] > p.eye[19, width] + 0.1


def test_gaze_beside_shipped_features_is_summed_up_in_their_windows(tmp_path):
    gaze, de = VirtualEyes(3, lambda _: "neutral", 0.7).signal(42), np.zeros((10, 6, 5), np.float32)
    p = of_segments(tmp_path, [shown(0, 40, de=de, gaze=gaze, gaze_sfreq=60.0)], window_s=4.0)
    np.testing.assert_array_equal(p.eye, by_step(gaze, 60.0, 4.0)[0])


def test_other_gaze_is_another_recording(tmp_path):
    gaze, signal = VirtualEyes(3, lambda _: "neutral", 0.7).signal(30), planted_set.signal_of(1, 30, 4.0)
    made = [
        of_segments(tmp_path / str(k), [shown(0, 30, signal=signal, gaze=gaze + k, gaze_sfreq=60.0)]) for k in (0, 1)
    ]
    assert made[0].sha256 != made[1].sha256


def test_shipped_eye_movements_of_seed_iv_lack_two_features_and_others_are_refused(tmp_path):
    de, eye = np.zeros((10, 6, 5), np.float32), np.arange(310, dtype=np.float32).reshape(10, 31)
    p = of_segments(tmp_path, [shown(0, 40, de=de, eye=eye)], window_s=4.0)
    np.testing.assert_array_equal(p.eye[:, SEED_IV], eye)
    assert [FEATURES[i] for i in np.flatnonzero(np.isnan(p.eye[0]))] == ["blink duration mean", "blink duration sd"]
    with pytest.raises(MoodError, match="30 features of eye movements"):
        of_segments(tmp_path / "other", [shown(0, 40, de=de, eye=eye[:, :30])], window_s=4.0)
