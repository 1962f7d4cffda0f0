"""A label that names two electrodes is the first of them only where the second is a stated reference."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime_mood.errors import SourceError
from realtime_mood.montage import ALIASES, REFERENCES, canonical_name, derivation, electrode, positions
from realtime_mood.plugins import read_options, split
from realtime_mood.sources.channels import EARS, choose_channels
from realtime_mood.sources.url import CommonOptions

OFFERED = re.compile(r"(?:drop|channels|reference)=[^ ].*?(?=, or name all|$)")
SITES = sorted(positions())
sites = st.sampled_from([*SITES, *ALIASES])
separators = st.sampled_from(["-", ":", "/", "_", " ", " - ", ".", ",", "–", "−", "|", "+", "\\", "=", "--", "_-_"])
before = st.sampled_from(["", "EEG ", "eeg_", "EEG.", "POL ", "E-", " "])
after = st.sampled_from(["", "-0", "-12", ".", "..", " ", " EEG"])


def read(labels: list[str], query: str = "") -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    url = f"playback://a.edf?{query}"
    options = read_options(CommonOptions, url, split(url)[2])
    chosen = choose_channels(labels, [True] * len(labels), options, "it")
    return chosen.ch_names, chosen.reference, chosen.notes


@given(sites, separators, sites, before, after)
@example("F3", "-", "C3", "", "")
@example("C3", "-", "A2", "EEG ", "")
@example("T8", "-", "P8", "", "-0")
def test_two_electrodes_are_one_only_with_a_reference(a: str, between: str, b: str, start: str, end: str) -> None:
    label, name = f"{start}{a}{between}{b}{end}", canonical_name(a)
    found = electrode(label)
    if b.upper() in REFERENCES:
        assert found == (name, b.upper())
        if name not in EARS:
            assert read([label])[:2] == ((name,), b.upper())
    else:
        assert found is None
        assert derivation(label) == (name, canonical_name(b))
        with pytest.raises(SourceError, match="derivations"):
            read([label])
        assert electrode(label, b) == (name, b.upper())


@given(sites, before, after)
def test_one_electrode_keeps_its_name_and_states_no_reference(a: str, start: str, end: str) -> None:
    assert electrode(f"{start}{a}{end}") == (canonical_name(a), "")


@given(sites, separators, st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8))
def test_a_word_that_is_not_listed_makes_it_no_electrode(a: str, between: str, word: str) -> None:
    known = (
        word.upper() in REFERENCES | {"EEG", "UV"} or canonical_name(word) or (between[-1] == "-" and word.isdigit())
    )
    assert known or electrode(f"{a}{between}{word}") is None


labels = st.one_of(
    st.sampled_from(
        ["Fp1", "C3", "T3", "T7", "E17", "F3-C3", "C3-P3", "A1", "EEG 001", "ECG", "Pz EOG", "O2-REF", "a,b", ""]
    ),
    st.text(max_size=12),
)


@given(st.lists(labels, min_size=1, max_size=8))
@example(["Fp1", "a,b", "50% & more + #1", "O2"])
@example(["Fp1", "Fp2", "T3", "T7"])
def test_what_a_refusal_offers_works(given_labels: list[str]) -> None:
    """An option that a message spells out, pasted into the URL, gets a step further."""
    tried: list[str] = []
    while len(tried) < 4:
        try:
            names, _, _ = read(given_labels, "&".join({word.split("=")[0]: word for word in tried}.values()))
        except SourceError as error:
            offered = [word for word in OFFERED.findall(error.do) if "…" not in word]
        else:
            assert len(set(names)) == len(names)
            return
        if not offered:
            return
        tried += offered[:1]
    raise AssertionError(f"{tried} lead nowhere")
