"""Which of a source's channels are kept, and what they are called."""

from __future__ import annotations

import pytest

from realtime_mood.errors import ConfigError, StreamMismatch
from realtime_mood.sources.channels import ChannelChoice, check_count, choose_channels
from realtime_mood.sources.url import CommonOptions

NAMED = ["EEG Fp1-REF", "EEG T3", "EEG A2-A1", "ECG ECG", "EOG1", "Status", "Oz"]


def chosen(labels: list[str], **options: object) -> ChannelChoice:
    return choose_channels(labels, [label != "Oz" for label in labels], CommonOptions.model_validate(options), "it")


def choose(labels: list[str], **options: object) -> tuple[list[int], tuple[str, ...]]:
    return chosen(labels, **options)[:2]


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
        (["Fp1", "EEG E17-REF"], {}, "leave them out with drop=EEG E17-REF"),
        (["Fp1", "a,b", "c&d"], {"drop": "Fp1"}, "name all 2 with channels="),
        (["Fp1", "a,b", "c&d"], {}, "leave them out with drop=a%252Cb,c%26d,"),
        (["Fp1", "Fp2", ""], {}, "play the others with channels=Fp1,Fp2,"),
        (["Fp1", "Fp2", "E1"], {"drop": "Fp1"}, "drop=Fp1,E1"),
        (["T3", "T7"], {}, "drop=T7"),
        (["F3-C3", "C3-P3"], {}, "2 of 2 EEG channels are derivations, not electrodes: F3-C3, C3-P3"),
        (["F3-C3", "C3-P3"], {}, "channels=F3,C3"),
        (["F3-Cz", "Pz-Cz"], {}, "if Cz is the reference of all, give reference=Cz"),
        (["FP1-F7", "FP1-F3", "A1-T3"], {}, "channels=Fp1,-,-"),
        (["F3-C3", "Fz"], {}, "drop=F3-C3"),
        (["C3-A1", "C3-A2"], {"channels": "C3"}, "drop=C3-A2"),
        (["C1", "C3", "C32", "A3"], {"channels": "C1,C3"}, "gives 2 names"),
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


@pytest.mark.parametrize(
    ("labels", "reference", "notes"),
    [
        (["EEG Fp1-REF", "EEG Fp2-REF"], "REF", 0),
        (["C3-A2", "C4-A1"], "A1/A2", 1),
        (["C3-A2", "C4"], "A2", 1),
        (["C3", "C4"], "unknown", 0),
    ],
)
def test_the_reference_of_the_channels_is_that_of_the_stream(labels: list[str], reference: str, notes: int) -> None:
    found = chosen(labels)
    assert (found.reference, len(found.notes)) == (reference, notes)
    assert chosen(labels, reference="nose").reference == "nose"


def test_a_stream_that_states_its_reference_is_believed_and_a_contradiction_noted() -> None:
    found = choose_channels(["C3-REF"], [True], CommonOptions(), "it", reference="FCz")
    assert (found.reference, found.notes) == ("FCz", ())
    found = choose_channels(["C3-A2"], [True], CommonOptions(), "it", reference="unknown")
    assert (found.reference, found.notes) == ("A2", ())
    found = choose_channels(["C3-A2"], [True], CommonOptions(), "it", reference="FCz")
    assert (found.reference, len(found.notes)) == ("FCz", 1)


def test_a_common_electrode_is_the_reference_where_it_is_said() -> None:
    found = chosen(["F3-Cz", "Pz-Cz", "A1-Cz"], reference="Cz")
    assert found == ([0, 1], ("F3", "Pz"), "Cz", ())


@pytest.mark.parametrize("label", ["Pz EOG", "Fp1 EMG", "O2 saturation", "AF3 impedance", "CQ_AF3"])
def test_an_electrode_in_the_name_of_something_else_is_left_out_and_noted(label: str) -> None:
    found = chosen(["C3", label])
    assert found.ch_names == ("C3",)
    assert label in found.notes[0]


def test_what_programs_put_beside_the_eeg_is_left_out_without_a_word() -> None:
    emotiv = ["Timestamp", "Counter", "Interpolate", "AF3", "T7", "HardwareMarker", "Markers", "BatteryPercent"]
    others = [
        "DIG DTRIG",
        "REF_EEG REF_EEG",
        "EEG EKG1-REF",
        "SpO2",
        "POL DC01",
        "Validation Indicator",
        "LOC-ROC",
        "HEO",
        "VEOL",
        "LO1",
        "Left AUX",
        "Pos.",
        "PLMr",
        "Sum Effort",
        "cchin",
        "E1-M2",
    ]
    assert chosen(emotiv + others) == ([3, 4], ("AF3", "T7"), "unknown", ())


def test_a_unit_that_is_no_voltage_is_no_eeg() -> None:
    found = choose_channels(["C3", "O2", "X"], [True] * 3, CommonOptions(), "it", units=["uV", "%", "seconds"])
    assert found.ch_names == ("C3",)
    assert "O2" in found.notes[0]


def test_channels_that_are_renamed_are_noted() -> None:
    found = chosen(["F3-C3", "Fp1", "x"], channels="F3,Fp2,Cz")
    assert found.ch_names == ("F3", "Fp2", "Cz")
    assert found.notes == ("channels= reads F3-C3 as F3, Fp1 as Fp2",)


def test_a_dash_leaves_a_channel_out() -> None:
    assert choose(["", "", ""], channels="C3,-,C4") == ([0, 2], ("C3", "C4"))
    assert choose(["a", "b", "ECG"], channels="-,Cz") == ([1], ("Cz",))


def test_a_channel_of_another_type_can_be_named_where_there_is_no_other() -> None:
    found = choose_channels(["a", "b"], [False, False], CommonOptions(channels=("C3", "C4")), "it")
    assert found.ch_names == ("C3", "C4")


@pytest.mark.parametrize("n", [1, 7, 9])
def test_a_description_of_another_number_of_channels_is_refused(n: int) -> None:
    told = [("Fp1", "mV", "EEG")] * n
    with pytest.raises(StreamMismatch, match=f"describes {n} channels and sends 8: Fp1.* name all 8 with channels="):
        check_count(told, 8, CommonOptions(), "it")
    named = CommonOptions(channels=("-",) * 7 + ("Cz",))
    assert check_count(told, 8, named, "it") == [("", "mV", "")] * 8
    assert check_count([], 8, CommonOptions(), "it") == [("", "", "")] * 8
    assert check_count(told, n, CommonOptions(), "it") == told
