"""Which of a source's channels are kept, and what they are called."""

from __future__ import annotations

import pytest

from realtime_mood.errors import ConfigError, StreamMismatch
from realtime_mood.sources.channels import choose_channels
from realtime_mood.sources.url import CommonOptions

NAMED = ["EEG Fp1-REF", "EEG T3", "EEG A2-A1", "ECG ECG", "EOG1", "Status", "Oz"]


def choose(labels: list[str], **options: object) -> tuple[list[int], tuple[str, ...]]:
    return choose_channels(labels, [label != "Oz" for label in labels], CommonOptions.model_validate(options), "it")


def test_ears_other_organs_and_other_types_are_left_out() -> None:
    assert choose(NAMED) == ([0, 1], ("Fp1", "T7"))


@pytest.mark.parametrize("word", ["T3", "T7", "EEG T3", "eeg t3"])
def test_drop_takes_either_name(word: str) -> None:
    assert choose(NAMED, drop=(word,)) == ([0], ("Fp1",))


def test_channels_name_the_unnamed_in_order() -> None:
    assert choose(["ch1", "ch2", "ch3"], channels="C3,C4", drop="ch2") == ([0, 2], ("C3", "C4"))
    assert choose(["", ""], channels="TP9,AF7") == ([0, 1], ("TP9", "AF7"))
    assert choose(["A1", "A2", "A3"], channels="C3,Cz,C4") == ([0, 1, 2], ("C3", "Cz", "C4"))


def test_channels_pick_from_the_named() -> None:
    assert choose(["Fp1", "Fp2", "C3", "C4"], channels="C4,Fp1") == ([3, 0], ("C4", "Fp1"))


@pytest.mark.parametrize(
    ("labels", "options", "says"),
    [
        (["Fp1", "E17"], {}, "E17"),
        (["", ""], {}, "channels="),
        (["A1", "A2", "A3"], {}, "3 of 3"),
        (["ECG", "Status"], {}, "no EEG channel"),
        (["T3", "T7"], {}, "same electrode"),
        (["ch1", "ch2"], {"channels": "C3"}, "gives 1 names, the source has 2"),
        (["Fp1"], {"drop": "Fp2"}, "its channels are Fp1"),
    ],
)
def test_what_cannot_be_told_is_asked_for(labels: list[str], options: dict[str, object], says: str) -> None:
    with pytest.raises(StreamMismatch) as error:
        choose(labels, **options)
    assert says in str(error.value)


@pytest.mark.parametrize("channels", ["C3,C3", "C3,Status"])
def test_names_that_are_no_electrodes_are_refused(channels: str) -> None:
    with pytest.raises(ConfigError):
        choose(["ch1", "ch2"], channels=channels)
