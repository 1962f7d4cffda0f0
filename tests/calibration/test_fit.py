"""From a sitting to a profile, and from the profile to readings."""

from __future__ import annotations

import json
import stat
from dataclasses import replace

import numpy as np
import pytest
from fakes import INFO, FakeSource, cut, pink
from sitting_through import baseline, person, short, sit

from realtime_mood.calibration import verdict
from realtime_mood.calibration.collect import collect
from realtime_mood.calibration.fit import fit, refreshed
from realtime_mood.calibration.protocol import draw
from realtime_mood.cli.config import resolve
from realtime_mood.corrections import CorrectionStatus
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, ProfileError
from realtime_mood.health import Emission, State
from realtime_mood.models.building import PipelineBuilder
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.network import check_own
from realtime_mood.models.personal import LabelledSeconds
from realtime_mood.profile import Profile, head_file
from realtime_mood.recording.reader import open_recorded
from realtime_mood.sinks.jsonlines import as_dict
from realtime_mood.types import Estimate, StreamInfo

SPEC = FeatureSpec()


@pytest.fixture(scope="module", autouse=True)
def quick():
    patch = pytest.MonkeyPatch()
    patch.setattr(verdict, "SHUFFLES", 99)
    patch.setattr(verdict, "DRAWS", 500)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def easy(tmp_path_factory):
    """Somebody whose moods are easy to tell apart: the recording, and what was fitted to it."""
    settings = person(difficulty="easy")
    plan = draw(short(self_report=False), 1)  # without ratings, whose duration depends on the load
    session = sit(settings, plan, tmp_path_factory.mktemp("easy") / "calibration.xdf")
    return session.recording, settings, fit(session.recording, settings)


def timeless(profile):
    return profile.model_dump(exclude={"made"}) | {"own": profile.own and profile.own.model_dump()}


# -- rest -------------------------------------------------------------------------------------------------------


def test_a_baseline_takes_the_settled_seconds_and_ends_with_the_file(tmp_path):
    session = baseline(tmp_path / "s.xdf", FakeSource(cut(pink(6000, 8), [100])))
    made = fit(session.recording, session.settings).profile
    assert made.seconds == 26  # 30 s less the filters' 4
    assert made.ch_names == INFO.ch_names
    assert made.own is None


def test_too_little_rest_names_what_to_do(tmp_path):
    session = baseline(tmp_path / "s.xdf", FakeSource(cut(pink(2000, 8), [100])))
    with pytest.raises(ProfileError, match="20 s of usable rest"):
        fit(session.recording, session.settings)


def test_an_electrode_that_was_never_on_is_named(tmp_path):
    x = pink(8000, 8)
    x[:, 2] = 0
    session = baseline(tmp_path / "s.xdf", FakeSource(cut(x, [100])))
    with pytest.raises(ProfileError, match="C3"):
        fit(session.recording, session.settings)


def test_no_recording_of_a_calibration_is_said(tmp_path, easy):
    from realtime_mood.recording.recorder import Recorder  # one that run --record makes

    recorder = Recorder(tmp_path / "run.xdf", {"weights": "x"})
    recorder.open(INFO)
    recorder.take(cut(pink(400, 8), [400])[0])
    recorder.close(None)
    with pytest.raises(ConfigError, match="not a recording of a calibration"):
        collect(tmp_path / "run.xdf", SPEC, "auto")


# -- a readout of one's own -------------------------------------------------------------------------------------


def test_who_can_be_read_gets_a_readout_of_their_own(easy):
    _, _, fitted = easy
    own = fitted.profile.own
    assert own is not None, fitted.profile.refused
    assert own.verdict.passed
    assert own.verdict.balanced_accuracy > 0.6
    assert own.base == "emotion3"
    assert fitted.attention.shape == (3, 8, 5)
    assert fitted.profile.seconds > 20


def test_seconds_are_labelled_as_the_person_was(easy):
    """Against the states the simulation itself says it was in."""
    recording, _, fitted = easy
    person_, sat = fitted.recording.person, fitted.recording
    markers = list(open_recorded(recording).markers())
    over = max(m.index for m in markers if m.text.endswith("/end"))  # what comes later depends on when the run stops
    told = [m for m in markers if m.text in ("negative", "neutral", "positive", "rest") and m.index <= over]
    assert len(told) == 18  # nine blocks, each after rest
    for second in np.flatnonzero(person_.label >= 0):
        end = round(sat.at[second] * person_.info.sfreq)
        true = [m.text for m in told if m.index < end][-1]
        assert true == sat.protocol.labels[person_.label[second]]


def test_of_a_recording_there_is_one_profile(easy, tmp_path):
    recording, settings, fitted = easy
    assert timeless(fit(recording, settings).profile) == timeless(fitted.profile)
    killed = tmp_path / "killed.xdf"
    with recording.open("rb") as whole:  # all but the footers, and half a chunk: what a killed program leaves
        killed.write_bytes(whole.read()[:-400])
    again = fit(killed, settings).profile
    assert timeless(again) == timeless(fitted.profile)


def test_a_sitting_cut_short_is_refused_with_what_is_there(easy, tmp_path):
    recording, settings, _ = easy
    part = tmp_path / "part.xdf"
    part.write_bytes(recording.read_bytes()[: recording.stat().st_size // 3])
    with pytest.raises(ProfileError, match=r"2 usable blocks of each label .* of negative, .* of neutral"):
        fit(part, settings)


def test_somebody_who_cannot_be_read_keeps_the_baseline_and_is_told_why(tmp_path):
    settings = person(difficulty="none")
    session = sit(settings, draw(short(), 1), tmp_path / "s.xdf")
    made = fit(session.recording, settings).profile
    assert made.own is None
    assert made.refused is not None
    assert made.refused.text
    assert made.refused.advice
    made.save(tmp_path / "p.json")
    assert Profile.load(tmp_path / "p.json").refused == made.refused


# -- the profile in use -----------------------------------------------------------------------------------------


def read(profile, settings, tmp_path, script="rest:12,positive:30,negative:30", **changes):
    path = tmp_path / "p.json"
    profile.save(path)
    from realtime_mood.sources import open_source

    url = f"{settings.source}&script={script}"
    build = PipelineBuilder(resolve({"source": url, "profile": path, **changes}))
    stream = open_source(url).open()
    pipeline, readings = build(stream.info), []
    from realtime_mood.errors import StreamEnded

    try:
        while (chunk := stream.read(0.1)) is not None:
            readings += [pipeline.read(w) for w in pipeline.push(chunk)]
    except StreamEnded:
        pass
    finally:
        stream.close()
    return readings


def test_readings_are_calibrated_and_say_whose_they_are(easy, tmp_path):
    _, settings, fitted = easy
    readings = read(fitted.profile, settings, tmp_path)
    estimates = [r for r in readings if isinstance(r, Estimate)]
    assert len(estimates) > 100
    assert all(r.calibrated and r.readout.evidence == "own" and r.readout.name == "emotion3" for r in estimates)
    lines = [as_dict(Emission(r, fitted.recording.person.info, State.LIVE, None, None)) for r in estimates]
    assert {line["evidence"] for line in lines} == {"own"}
    right = [
        r.readout.labels[int(np.argmax(r.probs))] == ("positive" if r.end <= 42 * 128 else "negative")
        for r in estimates
        if 24 * 128 < r.end <= 42 * 128 or r.end > 54 * 128
    ]
    assert np.mean(right) > 0.8


def test_electrodes_in_another_order_change_nothing(easy, tmp_path):
    _, _, fitted = easy
    info = fitted.recording.person.info
    turned = StreamInfo(info.ch_names[::-1], info.sfreq, virtual=True)
    fitted.profile.save(tmp_path / "p.json")
    build = PipelineBuilder(resolve({"profile": tmp_path / "p.json"}))
    x = pink(128 * 12, 8)
    here, there = (build(it) for it in (info, turned))
    one = [here.read(w) for c in cut(x, [128], 128.0) for w in here.push(c)]
    other = [there.read(w) for c in cut(x[:, ::-1], [128], 128.0) for w in there.push(c)]
    compared = [(a.probs, b.probs) for a, b in zip(one, other, strict=True) if a.probs is not None]
    assert len(compared) > 10
    np.testing.assert_allclose([a for a, _ in compared], [b for _, b in compared], atol=1e-5)


@pytest.mark.parametrize("file", ["of today", "of an older version"])
def test_refreshed_with_electrodes_in_another_order_it_reads_the_same(easy, tmp_path, file):
    _, _, fitted = easy
    old = fitted.profile
    if file != "of today":
        old = old.model_copy(update={"own": old.own.model_copy(update={"ch_names": None})})
    old.save(tmp_path / "old.json")
    assert Profile.load(tmp_path / "old.json").own == old.own
    names = tuple(np.random.default_rng(1).permutation(old.ch_names).tolist())
    at = [old.ch_names.index(name) for name in names]
    today = {"ch_names": names, "mean": tuple(old.mean[i] for i in at), "sd": tuple(old.sd[i] for i in at)}
    rest = old.model_copy(update={**today, "own": None, "head": None})
    refreshed(Profile.load(tmp_path / "old.json"), replace(fitted, profile=rest)).profile.save(tmp_path / "new.json")
    x, found = pink(128 * 12, 8), []
    for path, order in (("old.json", list(range(8))), ("new.json", at)):
        pipeline = PipelineBuilder(resolve({"profile": tmp_path / path}))(
            replace(fitted.recording.person.info, ch_names=tuple(old.ch_names[i] for i in order))
        )
        readings = [pipeline.read(w) for c in cut(x[:, order], [128], 128.0) for w in pipeline.push(c)]
        found.append([r.probs for r in readings if r.probs is not None])
    assert len(found[0]) > 10
    np.testing.assert_allclose(*found, atol=1e-5)


def test_a_readout_for_other_electrodes_or_weights_is_refused(easy, tmp_path):
    _, _, fitted = easy
    fitted.profile.save(tmp_path / "p.json")
    build = PipelineBuilder(resolve({"profile": tmp_path / "p.json"}))
    fewer = StreamInfo(fitted.profile.ch_names[:6], 128.0, virtual=True)
    with pytest.raises(ProfileError, match=r"validated with O1, O2"):
        build(fewer)
    real = StreamInfo(fitted.profile.ch_names, 128.0)
    with pytest.raises(ProfileError, match="simulated subject"):
        build(real)
    hashes = load_weights().card.hashes
    assert len(hashes) == 2  # the shipped weights lost an untrained part: profiles from before stay valid
    for sha256 in hashes:
        own = fitted.profile.own.model_copy(update={"weights_sha256": sha256})
        check_own(fitted.profile.model_copy(update={"own": own}), hashes, fitted.recording.person.info)
    own = fitted.profile.own.model_copy(update={"weights": "reader-0", "weights_sha256": "0" * 64})
    fitted.profile.model_copy(update={"own": own}).save(tmp_path / "q.json")
    with pytest.raises(ProfileError, match=r"other weights, reader-0 .* --from RECORDING"):
        PipelineBuilder(resolve({"profile": tmp_path / "q.json"}))(fitted.recording.person.info)


def test_the_baseline_alone_serves_other_readouts(easy, tmp_path):
    _, settings, fitted = easy
    readings = read(fitted.profile, settings, tmp_path, "rest:20", readout="effort")
    assert {r.readout.name for r in readings} == {"effort"}
    assert all(r.calibrated for r in readings)


def test_it_is_kept_for_its_user_alone_and_whatever_was_altered_shows(easy, tmp_path):
    _, _, fitted = easy
    path = tmp_path / "p.json"
    fitted.profile.save(path)
    for part in (path, head_file(path)):
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert timeless(Profile.load(path)) == timeless(fitted.profile)
    said = json.loads(path.read_text())
    assert "head" not in said
    blob = head_file(path).read_bytes()
    head_file(path).write_bytes(blob[:-1] + bytes([blob[-1] ^ 1]))
    with pytest.raises(ProfileError, match="altered"):
        Profile.load(path)
    head_file(path).unlink()
    with pytest.raises(ProfileError, match=r"p\.safetensors.*missing"):
        Profile.load(path)
    said["own"]["verdict"]["balanced_accuracy"] = 0.99
    path.write_text(json.dumps(said))
    head_file(path).write_bytes(blob)
    with pytest.raises(ProfileError, match="altered"):
        Profile.load(path)


def test_on_another_day_half_a_minute_of_rest_brings_it_up_to_date(easy, tmp_path):
    _, settings, fitted = easy
    from realtime_mood.calibration.protocol import load_protocol

    session = sit(settings, draw(load_protocol("baseline"), 0, rest_s=40), tmp_path / "today.xdf")
    today = fit(session.recording, settings)
    new = refreshed(fitted.profile, today).profile
    assert new.own == fitted.profile.own
    assert new.head == fitted.profile.head
    assert new.mean == today.profile.mean != fitted.profile.mean
    with pytest.raises(ProfileError, match="refresh"):
        refreshed(fitted.profile.model_copy(update={"virtual": False}), today)


def test_a_readout_without_people_behind_it_can_be_anybody_s_own(tmp_path):
    """Labels that no weights know: the person's own blocks are all there is to go by."""
    words = [
        {"label": "up", "text": "go up", "virtual": "positive", "coordinates": (0.5, 0.5)},
        {"label": "down", "text": "go down", "virtual": "neutral", "coordinates": (-0.5, -0.5)},
    ]
    from realtime_mood.calibration.protocol import Protocol

    protocol = Protocol.model_validate(
        {**short(self_report=False).model_dump(), "name": "lift", "readout": "", "cues": words, "last": (), "rounds": 6}
    )
    settings = person(difficulty="easy")
    session = sit(settings, draw(protocol, 0), tmp_path / "s.xdf")
    made = fit(session.recording, settings).profile
    assert made.own is not None, made.refused
    assert (made.own.name, made.own.base) == ("lift", "")


def test_a_run_is_corrected_only_by_what_the_profile_s_blocks_and_corrections_support(easy, tmp_path):
    _, _, fitted = easy
    fitted.profile.save(tmp_path / "p.json")
    build = PipelineBuilder(resolve({"profile": tmp_path / "p.json"}))
    info = fitted.recording.person.info
    pipeline, labels = build(info), fitted.profile.own.labels
    x = pink(128 * 20, 8)
    for k in range(7):  # the subject says the same of the same signal, again and again
        for chunk in cut(x, [128 * 5], 128.0):
            shifted = replace(chunk, first=chunk.first + k * len(x), t_last=chunk.t_last + k * 20)
            windows = pipeline.push(shifted)
        before = pipeline.read(windows[-1])
        pipeline.request(f"correction: {labels[k % 2]}", (k + 1) * len(x))
    assert before.corrections.made == 6
    assert before.corrections.status in set(CorrectionStatus) - {CorrectionStatus.COUNTS}  # the labels contradict it
    assert pipeline.profile.history == ()
    stored = LabelledSeconds.from_bytes(fitted.profile.head)
    assert len(stored.x) == fitted.profile.own.verdict.seconds
    states = np.array(fitted.profile.states)
    assert states.shape[1:] == (8, 5)
    assert len(states) > 3  # the labels, and rests
    assert np.abs(states[-3:]).max() > np.abs(states[:-3]).max()  # the rests are what they are compared with
