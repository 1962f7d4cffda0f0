"""The sound of feedback: no clicks, the right pitch, silence where nothing is fed back."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_mood.feedback.tone import CHORD_HZ, HIGH_HZ, LOW_HZ, SFREQ, FeedbackTone

STEEPEST = 4000  # between two samples: more is heard as a click


def play(tone: FeedbackTone, level: float, neutral: bool, seconds: float, n: int = 512) -> np.ndarray:
    return np.concatenate([tone.block(level, neutral, n) for _ in range(round(seconds * SFREQ / n))]).astype(float)


def pitch(wave: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return float(np.fft.rfftfreq(len(wave), 1 / SFREQ)[spectrum.argmax()])


@pytest.mark.parametrize(("level", "hz"), [(0.0, LOW_HZ), (1.0, HIGH_HZ)])
def test_pitch_follows_the_level(level, hz):
    assert pitch(play(FeedbackTone("pitch"), level, False, 2.0)[SFREQ:]) == pytest.approx(hz, abs=2)


def test_loudness_follows_the_level_and_the_pitch_stays():
    tone = FeedbackTone("loudness")
    low, high = play(tone, 0.2, False, 2.0)[SFREQ:], play(tone, 0.9, False, 2.0)[SFREQ:]
    assert np.abs(high).max() > 5 * np.abs(low).max()
    assert pitch(low) == pytest.approx(pitch(high), abs=2)


def test_nothing_fed_back_is_silence_that_fades_in_and_out():
    tone = FeedbackTone()
    assert not play(tone, 0.5, True, 0.5).any()
    play(tone, 0.5, False, 1.0)
    assert np.abs(play(tone, 0.5, True, 2.0)[-SFREQ // 2 :]).max() <= 1


def test_neither_jumps_nor_chimes_nor_cuts_click():
    tone, parts = FeedbackTone(), []
    for k, level in enumerate((0.0, 1.0, 0.3, 0.9, 0.9)):
        if k == 3:
            tone.chime()
        parts.append(play(tone, level, k == 2, 0.3, 441 + k))
    wave = np.concatenate(parts)
    assert np.abs(np.diff(wave)).max() < STEEPEST
    assert np.abs(wave).max() < 32767 / 2


def test_the_ambient_sound_is_a_sea_that_gives_way_to_a_chord():
    tone = FeedbackTone("ambient")
    sea, chord = play(tone, 0.0, False, 2.0)[SFREQ:], play(tone, 1.0, False, 2.0)[SFREQ:]

    def tonal(wave: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
        near = np.abs(np.fft.rfftfreq(len(wave), 1 / SFREQ)[:, None] - CHORD_HZ).min(axis=1) < 3
        return float(power[near].sum() / power.sum())

    assert tonal(chord) > 0.9
    assert tonal(sea) < 0.2
    assert 0.3 < sea.std() / chord.std() < 3
    assert not play(FeedbackTone("ambient"), 0.5, True, 0.2).any()
