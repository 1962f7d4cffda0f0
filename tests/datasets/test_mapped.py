"""Prepared subjects stay on disk, and another process maps the same rows."""

from __future__ import annotations

import hashlib
import pickle
import weakref
from dataclasses import replace

import numpy as np
import pytest
from memory import peak_of
from planted_set import NAMES, SFREQ, info_of, recording

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.models.datasets.mapped import RowsOnDisk, mapped, on_disk, release
from realtime_mood.models.datasets.person import cut
from realtime_mood.models.datasets.preparing import jobs_of, load, prepare
from realtime_mood.models.datasets.trials import Recording, Segment, Span, Trial
from realtime_mood.models.evaluation.sessions import of_session
from realtime_mood.models.evaluation.store import digest_of_person
from realtime_mood.types import StreamInfo

SPEC = FeatureSpec()


@pytest.fixture(scope="module")
def in_two_sessions(tmp_path_factory):
    (job,) = jobs_of([recording(1, "1"), recording(1, "2")], info_of(), SPEC, tmp_path_factory.mktemp("prepared"))
    prepare(job)
    return load(job)


def test_changed_features_can_stay_on_disk_too(in_two_sessions, tmp_path):
    changed = replace(in_two_sessions, de=on_disk(in_two_sessions.de + 1, tmp_path))
    sent = pickle.dumps(changed)
    assert len(sent) < changed.de.nbytes
    np.testing.assert_array_equal(pickle.loads(sent).de, in_two_sessions.de + 1)


@pytest.mark.parametrize("number", [0, 1])
def test_another_process_gets_the_rows_of_one_session(in_two_sessions, number):
    session = of_session(in_two_sessions, number)
    sent = pickle.dumps(session)
    assert len(sent) < session.de.nbytes  # no features are in it
    there = pickle.loads(sent)
    assert not there.de.flags.owndata
    for key in ("de", "patches", "good", "label"):
        np.testing.assert_array_equal(getattr(there, key), getattr(session, key))


def test_what_was_chosen_or_changed_is_sent_itself(in_two_sessions):
    p = in_two_sessions
    chosen = cut(p, np.arange(len(p.label)) % 2 == 0)
    changed = replace(p, de=p.de[:, :2], patches=p.patches[::2])
    for q in (chosen, changed):
        assert RowsOnDisk.of(q.de) is RowsOnDisk.of(q.patches) is None
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(q)).patches, q.patches)


def test_rows_of_rows_are_found(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(60.0).reshape(10, 2, 3))
    x = mapped(tmp_path / "x.npy")
    for part in (x, x[2:], x[2:][1:5], x[4:4]):
        np.testing.assert_array_equal(RowsOnDisk.of(part).array(), part)
    release(x)
    np.testing.assert_array_equal(x[3], np.arange(18.0, 24).reshape(2, 3))
    release(np.zeros(3))  # nothing is on disk


def test_a_digest_is_of_the_bytes_and_needs_memory_for_some_of_them(in_two_sessions):
    p = in_two_sessions
    known = hashlib.sha256(f"{p.name} {p.info.ch_names} {p.info.sfreq} {p.trials} {p.sha256} 1".encode())
    for array in (p.de, p.patches, p.there, p.good, p.piece, p.label, p.rest, p.session, p.trial):
        known.update(array.tobytes())
    known.update(b"-")
    assert digest_of_person(p) == known.hexdigest()
    long = replace(p, raw=False, patches=np.broadcast_to(np.float16(0), (20_000, 6, 128)))  # as of shipped features
    assert peak_of(lambda: digest_of_person(long)) < long.patches.nbytes / 8


def test_one_segment_of_signal_is_in_memory_at_a_time(tmp_path):
    info, given, alive = StreamInfo(NAMES, SFREQ, virtual=True), [], []
    trials = tuple(Trial(i, f"clip{i}", "neutral") for i in range(3))

    def segments():
        for trial in trials:
            alive.append(sum(signal() is not None for signal in given))
            x = np.random.default_rng(trial.position).normal(0, 10, (round(8 * SFREQ), len(NAMES))).astype(np.float32)
            given.append(weakref.ref(x))
            yield Segment((Span(0, 8, trial),), x)
            del x

    (job,) = jobs_of([Recording("1", "1", info, trials, segments)], info_of(), SPEC, tmp_path)
    prepare(job)
    assert alive == [0, 0, 0]
