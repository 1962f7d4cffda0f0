"""What pre-training learns from: every recording once, in the live network's units, and nothing that is not EEG."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from integration.recordings import CH_NAMES, write_edf
from pretraining_people import SECONDS, SFREQ, TINY, eeg, write_archive

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.entropy import Statistics
from realtime_mood.errors import ConfigError, MoodError, WeightsError
from realtime_mood.models.datasets import corpus, recordings
from realtime_mood.models.datasets.corpus import corpus_population, gather, load, split_subjects
from realtime_mood.models.datasets.person import person, signal_sha256
from realtime_mood.models.datasets.recordings import FIRST_SEED, find, readable
from realtime_mood.models.datasets.virtual import LAST_SEED
from realtime_mood.models.pretraining.feed import BUCKETS, PLAIN, Feed, _referenced
from realtime_mood.montage import SPREAD
from realtime_mood.pipeline import Pipeline
from realtime_mood.profile import Normaliser
from realtime_mood.types import Chunk, StreamInfo

SPEC = FeatureSpec()
USABLE = SECONDS - 4 - 3  # windows of one piece: the filters settle for 4 s, and a window is 4 s long


def gathered(tmp_path, *data, **options):
    said = []
    jobs, notes = find([str(path) for path in data], **options)
    return gather(jobs, SPEC, tmp_path / "cache", said.append), "\n".join(notes + said)


def archive(tmp_path, people, name="made_128hz.npz", **options):
    return write_archive(tmp_path / name, people, **options)


def test_people_pieces_and_windows_are_kept_apart(tmp_path):
    path = archive(tmp_path, {"a": [eeg(1), eeg(2)], "b": [eeg(3)]})
    (a, b), said = gathered(tmp_path, path)
    assert said == ""
    assert (a.job.subject, b.job.subject) == ("made-a", "made-b")
    assert a.records_sha256 != b.records_sha256
    last, n_good = a.windows(SPEC.n_patches)
    assert len(last) == 2 * USABLE
    assert (n_good == 6).all()
    assert all(len(set(a.features.piece[t - 3 : t + 1])) == 1 for t in last)
    assert a.features.patches.dtype == np.float16


def test_hashes_are_those_a_person_of_the_evaluation_carries(tmp_path):
    (a,), _ = gathered(tmp_path, archive(tmp_path, {"a": [eeg(1)]}))
    signal = np.round(eeg(1) / 0.05).astype(np.int16).astype(np.float32) * np.float32(0.05)
    info = StreamInfo(tuple(SPREAD[:6]), SFREQ)
    evaluated = person("x", info, [signal], [np.zeros(SECONDS)], slice(0, 2), SPEC)
    assert a.records_sha256 == (evaluated.sha256,) == (signal_sha256(signal),)


def test_patches_are_what_the_live_network_gets(tmp_path):
    """A run without a profile, second by second, against what the corpus holds and divides by."""
    (a,), _ = gathered(tmp_path, archive(tmp_path, {"a": [eeg(1)]}))
    pop = corpus_population([a])
    rms = a.rms(pop, SPEC)
    signal = np.round(eeg(1) / 0.05).astype(np.int16).astype(np.float32) * np.float32(0.05)
    live = Pipeline(a.features.info, SPEC.model_copy(update={"hop_s": 1.0}), None)
    normalise = Normaliser(Statistics.of_population(pop.mean, pop.sd, 6), SFREQ, frozen=False)
    seen = 0
    for window in live.push(Chunk(signal, 0, SECONDS)):
        t = round(window.end / SFREQ) - 1
        f = live.features(window)
        known = normalise(f, window.end, SPEC.step_s)
        network_gets = known.standardise(f.de, f.patches, f.step_mask)[1]
        if t in a.windows(SPEC.n_patches)[0]:
            ours = np.asarray(a.features.patches[t - 3 : t + 1], np.float32).transpose(1, 0, 2) / rms[t][:, None, None]
            assert np.abs(ours - network_gets).max() < 0.02 * network_gets.std()
            seen += 1
    assert seen == USABLE


def test_channels_that_are_flat_unreadable_railed_or_copies_are_never_drawn(tmp_path):
    spoilt = eeg(1, n_chans=9)
    spoilt[:, 1] = 0
    spoilt[:, 2] = np.clip(40 * spoilt[:, 2], -800, 800)
    spoilt[:, 4] = spoilt[:, 3]
    (a,), said = gathered(tmp_path, archive(tmp_path, {"a": [spoilt]}))
    last, n_good = a.windows(SPEC.n_patches)
    assert set(n_good) == {6}
    good = a.features.good[last[0]]
    assert [name for name, fine in zip(SPREAD, good, strict=False) if not fine] == [SPREAD[i] for i in (1, 2, 4)]
    assert f"{SPREAD[4]} repeats {SPREAD[3]}" in said


def test_samples_that_are_no_numbers_break_windows_and_nothing_else():
    session = corpus.DatasetSession(StreamInfo(tuple(SPREAD[:6]), SFREQ), [eeg(1, seconds=30).astype(np.float32)])
    session.pieces[0][15 * SFREQ : 16 * SFREQ] = np.nan
    session.pieces[0][:, 5] = np.nan
    found = corpus._features(session, SPEC)
    assert set(found["piece"]) == {0, 1}
    assert np.isfinite(found["patches"]).all()
    assert np.isfinite(found["de"]).all()
    assert not found["good"][found["there"], 5].any()


@pytest.mark.parametrize(("device", "good", "bad"), [("MUSE", 1, 4), ("EPOC", 4, 0)])
def test_contact_that_the_device_calls_bad_is_believed(tmp_path, device, good, bad):
    names = sorted(getattr(recordings, device))
    path = archive(tmp_path, {"a": [eeg(1, n_chans=len(names))]}, contact=good, ch_names=names)
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["h0000"][2, 9 * SFREQ + 5] = bad
    np.savez(path, **arrays)
    (a,), _ = gathered(tmp_path, path)
    assert not a.features.good[9, 2]
    assert a.features.good[10, 2]
    assert a.features.good[9, 1]


def test_differing_rates_and_montages_make_one_corpus(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_archive(folder / "few_128hz.npz", {"a": [eeg(1, n_chans=4)]})
    write_archive(folder / "many_250hz.npz", {"b": [eeg(2, n_chans=20, sfreq=250)]}, sfreq=250)
    write_archive(folder / "slow_50hz.npz", {"c": [eeg(3, sfreq=100)[:, :4]]}, sfreq=50)
    sessions, said = gathered(tmp_path, folder)
    assert "slow-c left out" in said
    feed = Feed(sessions, corpus_population(sessions), SPEC, replace(TINY, batch=4), seed=0)
    drawn = [feed(k) for k in range(12)]
    assert {d.patches.shape[1] for d in drawn} >= {4, 8}
    assert all(d.patches.shape[2:] == (4, 128) and torch.isfinite(d.patches).all() for d in drawn)


def test_the_same_signal_in_two_files_is_taken_once_whatever_it_is_called(tmp_path):
    signal = np.round(eeg(1, n_chans=8, seconds=20))
    folder = tmp_path / "data"
    folder.mkdir()
    write_archive(folder / "made_128hz.npz", {"a": [signal]})
    mixed = np.array([3, 0, 1, 2, 7, 6, 5, 4])
    with np.load(folder / "made_128hz.npz") as stored:
        arrays = dict(stored)
    meta = json.loads(str(arrays["meta"]))
    arrays["meta"] = json.dumps(meta | {"channels": [meta["channels"][i] for i in mixed]})
    arrays["x0000"] = arrays["x0000"][mixed]
    np.savez(folder / "other_128hz.npz", **arrays)
    sessions, said = gathered(tmp_path, folder)
    assert [s.job.subject for s in sessions] == ["made-a"]
    assert "other-a left out: the same signal as made-a" in said


def test_what_was_prepared_is_not_prepared_again_unless_the_file_changes(tmp_path, monkeypatch):
    path = archive(tmp_path, {"a": [eeg(1)]})
    (first,), _ = gathered(tmp_path, path)
    read = []
    real = corpus.readable
    monkeypatch.setattr(corpus, "readable", lambda job: read.append(job.name) or real(job))
    (again,), _ = gathered(tmp_path, path)
    assert read == []
    assert np.array_equal(first.features.patches, again.features.patches)
    archive(tmp_path, {"a": [eeg(2)]})
    os.utime(path, ns=(0, 0))
    (other,), _ = gathered(tmp_path, path)
    assert read == ["made-a"]
    assert other.records_sha256 != first.records_sha256
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_disk_that_fills_up_while_preparing_is_said_and_keeps_what_there_is(tmp_path, monkeypatch):
    path = archive(tmp_path, {"a": [eeg(1)], "b": [eeg(2)]})
    jobs, _ = find([str(path)])
    gather(jobs[:1], SPEC, tmp_path / "cache", lambda _: None)
    monkeypatch.setattr(np, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(MoodError, match="No space left on device"):
        gather(jobs, SPEC, tmp_path / "cache", lambda _: None)
    assert load(jobs[0], SPEC, tmp_path / "cache") is not None
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_people_held_out_are_never_trained_on(tmp_path):
    people = {f"{i:02d}": [eeg(i, seconds=9)] for i in range(6)}
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("one_128hz.npz", "two_128hz.npz"):
        write_archive(folder / name, people if name[:3] == "one" else {k: [v[0] * 1.5 + 3] for k, v in people.items()})
    sessions, _ = gathered(tmp_path, folder)
    training, held_out = split_subjects(sessions, 0.2, seed=1)
    assert len(training) + len(held_out) == 12
    assert not {s.job.subject for s in training} & {s.job.subject for s in held_out}
    assert {s.job.dataset for s in held_out} == {"one", "two"}
    with pytest.raises(ConfigError, match="1 in all"):
        split_subjects(sessions[:1], 0.2, seed=1)


def test_evaluations_people_and_what_may_not_be_used_stay_out(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("eegmat_dev_125hz.npz", "feis_articulators_256hz.npz", "uci_vep_60ch_128hz.npz"):
        write_archive(folder / name, {"a": [eeg(1)]})
    jobs, notes = find([str(folder)])
    assert jobs == []
    assert len(notes) == 3
    assert [job.subject for job in find([str(folder)], with_eegmat=True)[0]] == ["eegmat_dev-a"]


def test_virtual_people_have_seeds_of_their_own():
    jobs, _ = find([], 40)
    seeds = [int(job.pick) for job in jobs]
    assert seeds == list(range(FIRST_SEED, FIRST_SEED + 40))
    with pytest.raises(ConfigError, match="set aside"):
        find([], LAST_SEED)


@pytest.mark.parametrize(("labels", "says"), [(["F3-C3", "C3-P3"], "derivations"), (["F3", "E17"], "E17")])
def test_an_archive_of_derivations_or_unknown_electrodes_is_left_out(tmp_path, labels, says):
    path = archive(tmp_path, {"a": [eeg(1, n_chans=2)]})
    arrays = dict(np.load(path))
    meta = json.loads(str(arrays["meta"])) | {"channels": labels}
    np.savez(path, **arrays | {"meta": json.dumps(meta)})
    session, why = readable(find([str(path)])[0][0])
    assert session is None
    assert says in why


def test_an_archive_says_its_reference(tmp_path):
    path = archive(tmp_path, {"a": [eeg(1, n_chans=3)]})
    arrays = dict(np.load(path))
    meta = json.loads(str(arrays["meta"])) | {"channels": ["EEG F3-A2", "A1", "F4-A2"]}
    np.savez(path, **arrays | {"meta": json.dumps(meta)})
    session, _ = readable(find([str(path)])[0][0])
    assert (session.info.ch_names, session.info.reference) == (("F3", "F4"), "A2")
    np.testing.assert_array_equal(session.pieces[0], (arrays["x0000"].T * np.float32(0.05))[:, [0, 2]])


def test_loose_files_play_and_the_others_say_why_not(tmp_path):
    folder = tmp_path / "loose"
    folder.mkdir()
    write_edf(folder / "me.edf", eeg(1, len(CH_NAMES), 12), SFREQ)
    (folder / "broken.edf").write_bytes(b"0" * 300)
    (folder / "notes.txt").write_text("no recording")
    sessions, said = gathered(tmp_path, folder)
    assert [s.job.subject for s in sessions] == ["me.edf"]
    assert "broken.edf left out" in said
    assert "notes.txt left out" in said


NOTHING = {
    "no such place": (lambda p: p / "absent", "no such file or folder"),
    "an odd option": (lambda p: f"{p}?colour=red", "colour"),
    "an empty folder": (lambda p: p, "none of them holds a usable window"),
    "pieces too short": (lambda p: archive(p, {"a": [eeg(1, seconds=7)]}), "none of them holds a usable window"),
    "too few channels": (lambda p: archive(p, {"a": [eeg(1)[:, :3]]}), "none of them holds a usable window"),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_nothing_to_learn_from_is_said_in_one_line(tmp_path, kind):
    make, says = NOTHING[kind]
    with pytest.raises(ConfigError, match=says) as caught:
        gathered(tmp_path, make(tmp_path))
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, WeightsError)


@pytest.mark.parametrize("damage", ["no archive", "cut short", "a signal overwritten"])
def test_a_damaged_archive_is_named_in_one_line(tmp_path, damage):
    path = archive(tmp_path, {"a": [eeg(1)]})
    whole = path.read_bytes()
    at = len(whole) // 2
    if damage == "no archive":
        np.savez(path, a=np.zeros(3))
    else:
        path.write_bytes(whole[:at] + (b"?" * 80 + whole[at + 80 :] if damage[0] == "a" else b""))
    with pytest.raises(MoodError, match=r"archive made_128hz\.npz · cannot be read: [^\n]*$"):
        find([str(path)])[0][0].read()


def test_an_archive_of_simulated_people_stays_marked(tmp_path):
    path = archive(tmp_path, {"a": [eeg(1)]})
    assert not find([str(path)])[0][0].read().info.virtual
    arrays = dict(np.load(path))
    meta = json.loads(str(arrays["meta"])) | {"source": "SIMULATED"}
    np.savez(path, **arrays | {"meta": json.dumps(meta)})
    assert find([str(path)])[0][0].read().info.virtual


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feed")
    path = write_archive(folder / "made_128hz.npz", {f"{i}": [eeg(i, n_chans=40, seconds=12)] for i in range(3)})
    return gathered(folder, path)[0]


def test_a_batch_is_a_function_of_its_number(sessions):
    pop = corpus_population(sessions)
    one, two = (Feed(sessions, pop, SPEC, replace(TINY, batch=6), seed=5) for _ in range(2))
    for k in (3, 0, 7):
        a, b = one(k), two(k)
        assert all(torch.equal(x, y) for x, y in zip((*a[:2], *a.mask), (*b[:2], *b.mask), strict=True))
    assert not torch.equal(one(3).positions[:4, :4], one(4).positions[:4, :4])


def test_batches_are_on_many_montages_and_bounded(sessions):
    feed = Feed(sessions, corpus_population(sessions), SPEC, replace(TINY, batch=32), seed=0)
    drawn = [feed(k) for k in range(25)]
    n_chans = {d.patches.shape[1] for d in drawn}
    assert n_chans <= set(BUCKETS)
    assert min(n_chans) <= 12
    assert max(n_chans) == 32
    assert all(d.patches.shape[0] * d.patches.shape[1] <= 32 * 32 for d in drawn)
    assert all((d.positions.norm(dim=-1) - 1).abs().max() < 1e-5 for d in drawn)
    assert all(d.patches.abs().max() <= 8 for d in drawn)


def test_processes_share_a_batch_without_overlap(sessions):
    whole = Feed(sessions, corpus_population(sessions), SPEC, replace(TINY, batch=6), seed=5, vary=PLAIN)(0)
    parts = [whole.share(rank, 2) for rank in range(2)]
    assert torch.equal(torch.stack([p.patches for p in parts], 1).flatten(0, 1), whole.patches)
    assert torch.equal(torch.stack([p.mask.target for p in parts], 1).flatten(0, 1), whole.mask.target)


def test_every_reference_is_met():
    rng = np.random.default_rng(0)
    everyone = rng.normal(size=(8, 4, 128))
    found = set()
    for _ in range(60):
        own = _referenced(everyone[:5], everyone, 3, rng)
        for name, taken in {
            "as it is": 0, "average": everyone.mean(0), "one": everyone[7], "pair": everyone[6:].mean(0)
        }.items():  # fmt: skip
            if np.allclose(own, everyone[:5] - taken):
                found.add(name)
    assert found == {"as it is", "average", "one", "pair"}
