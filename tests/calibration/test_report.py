"""The page of a calibration: says what the verdict says, whatever it is, and needs nothing but itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from htmlpage import Page
from matplotlib.figure import Figure

from realtime_mood import language
from realtime_mood.calibration.collect import CalibrationRecording, StepSpan
from realtime_mood.calibration.fit import CalibrationResult
from realtime_mood.calibration.pictures import attention
from realtime_mood.calibration.protocol import Protocol, load_protocol
from realtime_mood.calibration.report import check_place, write_page
from realtime_mood.calibration.store import summary
from realtime_mood.calibration.verdict import advice, calibrated, folds
from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError
from realtime_mood.models.datasets.person import Person
from realtime_mood.profile import PersonalReadout, Profile, ValidationResult
from realtime_mood.types import StreamInfo

LABELS = ("negative", "neutral", "positive")
CHANS = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")
ROUNDS, BLOCK_S = 4, 10
SPEC = FeatureSpec()
WEIGHTS = ("reader-9", "0123456789abcdef" * 4)
ACCEPTED = ValidationResult(
    balanced_accuracy=0.7417, interval=(0.6083, 0.8667), chance=0.3333, p=0.0051, ece=0.0712, time_only=0.2917,
    blocks=(4, 4, 4), seconds=120, confusion=((0.71, 0.22, 0.07), (0.06, 0.83, 0.11), (0.18, 0.13, 0.69)), passed=True,
    text="",
)  # fmt: skip
REFUSED = ACCEPTED.model_copy(
    update={
        "balanced_accuracy": 0.3512, "interval": (0.2417, 0.4612), "p": 0.4312, "passed": False,
    }
)  # fmt: skip


def sat(protocol: Protocol, *, virtual: bool = False) -> CalibrationRecording:
    """A sitting of twelve blocks at 100 Hz, of which only what the page shows is there."""
    info = StreamInfo(CHANS, 100.0, reference="average", virtual=virtual)
    none = np.empty(0, int)
    empty = np.zeros((0, len(CHANS), SPEC.n_bands), np.float32)
    person = Person("sitting", info, empty, empty, none > 0, empty[:, :, 0] > 0, none, none, none > 0, "")
    rows = enumerate(LABELS * ROUNDS if protocol.cues else (), 1)
    blocks = tuple(StepSpan("block", n, label, 3000 * n, 3000 * n + 1000) for n, label in rows)
    quality = np.array([1.0, 0.97, 0.41, 1.0, 0.88, 1.0])
    where = Path("/home/somebody/20260101-emotion-ab12.xdf")
    return CalibrationRecording(
        where, protocol, person, none, none.astype(float), blocks, {}, ("block 3: poor signal",), quality
    )


def profile(*, virtual: bool = False, verdict: ValidationResult | None = None) -> Profile:
    grid = tuple((0.0,) * SPEC.n_bands for _ in CHANS)
    own = PersonalReadout(
        name="emotion3", labels=LABELS, coordinates=((-0.7, 0.4), (0.0, -0.2), (0.7, 0.4)), base="", weights="reader-9",
        weights_sha256="0123456789abcdef" * 4, head_sha256="", temperature=1.2, least_confidence=0.4, verdict=ACCEPTED,
    )  # fmt: skip
    return Profile(
        ch_names=CHANS, reference="average", virtual=virtual, readout=None, spec=SPEC, mean=grid, sd=grid, seconds=57.4,
        made="2026-01-01T10:20:30+00:00", own=own if verdict and verdict.passed else None,
        refused=verdict if verdict and not verdict.passed else None,
    )  # fmt: skip


def fitted(verdict: ValidationResult | None, *, virtual: bool = False, heads: bool = False) -> CalibrationResult:
    """A result; `heads`: with maps of attention, whose drawing takes as long as everything else."""
    if verdict is None:
        return CalibrationResult(profile(virtual=virtual), sat(load_protocol("baseline"), virtual=virtual), WEIGHTS)
    rng = np.random.default_rng(3)
    of_block = np.tile(np.arange(3), ROUNDS)
    block = np.repeat(np.arange(len(of_block)), BLOCK_S)
    y = of_block[block]
    held = calibrated(rng.normal(size=(len(y), 3)) + 1.5 * np.eye(3)[y], y, block, folds(of_block)[block])
    attention = rng.dirichlet(np.ones(len(CHANS)), (3, SPEC.n_bands)).transpose(0, 2, 1)
    found = profile(virtual=virtual, verdict=verdict)
    return CalibrationResult(
        found, sat(load_protocol("emotion"), virtual=virtual), WEIGHTS, held, attention if heads else None
    )


def read(it: CalibrationResult, folder: Path) -> Page:
    """The page of it, after what holds for every page."""
    path = folder / "new" / "page.html"
    assert write_page(it, path.with_suffix(".json")) == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["page.html"]
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    bare = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=\s]*", "", text)
    assert not re.search(r"http|//|@import|somebody|#010203", bare)
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert link.startswith("data:image/png;base64,") or link[1:] in page.ids, link
    assert page.tags["svg"] == page.tags["figcaption"] == page.tags["figure"] == len(page.alts)
    assert all(len(alt) > 40 for alt in page.alts)
    assert "2026-01-01 10:20 UTC" in page.text
    assert "not a medical device" in page.text
    assert "20260101-emotion-ab12.xdf" in page.texts
    assert "6 electrodes: Fp1 Fp2 C3 C4 O1 O2" in page.texts
    assert {"41%", "97%", "88%"} <= set(page.texts)  # of the electrodes
    return page


def test_an_accepted_readout_is_told_with_all_its_figures(tmp_path: Path) -> None:
    page = read(fitted(ACCEPTED, heads=True), tmp_path)
    assert (
        "The personal classifier was accepted: its balanced accuracy on held-out blocks is 0.74 "
        "(95 % CI 0.61 to 0.87), chance 0.33." in page.texts
    )
    told = ("0.74 [0.61, 0.87]", "0.33", "p = 0.005", "0.07", "0.29", "4 negative, 4 neutral, 4 positive", "120",
            "57 s", "block 3: poor signal", "reader-9, 0123456789ab")  # fmt: skip
    assert set(told) <= set(page.texts)
    assert {"71%", "22%", "7%", "6%", "83%", "11%", "18%", "13%", "69%"} <= set(page.texts)
    assert "neutral: 6% negative, 83% neutral, 11% positive" in page.alts[0]
    assert "SIMULATED" not in page.text
    assert page.tags["svg"] == 5  # nobody was asked how it felt
    assert page.tags["image"] == 3 * SPEC.n_bands + 1  # heads, and the scale they share
    assert {"times an equal share", "L", "R", "time in session (min)"} <= set(page.texts)


def test_a_refused_one_is_told_with_its_reasons_and_what_to_try(tmp_path: Path) -> None:
    page = read(fitted(REFUSED, virtual=True), tmp_path)
    assert (
        "No personal classifier could be created: permutation test: p = 0.431, above 0.02; the 95 % CI begins at 0.24 "
        "and does not exclude chance (0.33); held-out balanced accuracy is 0.35; at least 0.43 is needed."
    ) in page.texts
    tips = advice(REFUSED, LABELS)
    assert tips[-1].startswith("use pictures, sounds or clips")
    assert set(tips) <= set(page.texts)
    assert page.tags["li"] == len(tips)
    assert {"0.35 [0.24, 0.46]", "p = 0.431"} <= set(page.texts)
    assert "accepted" not in page.text
    assert "SIMULATED" in page.texts


@pytest.mark.usefixtures("no_figures")
def test_numbers_of_a_german_page_have_a_decimal_comma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_translations", language._translations[:])
    monkeypatch.setattr(language, "_language", ["en"])
    language.use("de")
    write_page(fitted(REFUSED), tmp_path / "page.json")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert {"0,35 [0,24; 0,46]", "p = 0,431", "0,33", "0,07"} <= set(page.texts)
    assert any("p = 0,431, über 0,02" in text for text in page.texts)


def test_numbers_of_german_figures_and_summaries_have_a_decimal_comma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_translations", language._translations[:])
    monkeypatch.setattr(language, "_language", ["en"])
    language.use("de")
    figure, maps = Figure(), np.array([[[0.5], [0.1], [0.2], [0.2]]])
    attention(figure, maps, ("Fp1", "Fp2", "O1", "O2"), ("joy",), {"alpha": (8, 13)})
    ticks = [tick.get_text() for tick in figure.axes[-1].get_yticklabels()]
    assert "1,00 ×" in ticks
    assert "." not in "".join(ticks)
    assert "." not in summary(profile(verdict=ACCEPTED)).partition("balanced accuracy")[2].partition("based")[0]


def test_a_baseline_says_how_much_rest_it_rests_on(tmp_path: Path) -> None:
    page = read(fitted(None), tmp_path)
    assert "The baseline is based on 57 s of usable rest." in page.texts
    assert page.tags["svg"] == 1
    assert "balanced accuracy" not in page.text


def test_a_renewed_baseline_says_that_its_readout_is_older(tmp_path: Path) -> None:
    page = read(replace(fitted(None), profile=profile(verdict=ACCEPTED)), tmp_path)
    assert "The result is from an earlier session; this one renewed the baseline." in page.texts
    assert page.tags["svg"] == 2  # what was taken for what, and the electrodes of today


def test_a_renewed_baseline_keeps_the_reasons_of_an_older_refusal(tmp_path: Path) -> None:
    older = REFUSED.model_copy(update={"advice": ("make joy and grief more different",)})
    page = read(replace(fitted(None), profile=profile(verdict=older)), tmp_path)
    assert {"4 1, 4 2, 4 3", "make joy and grief more different"} <= set(page.texts)


def test_what_was_said_of_the_blocks_is_shown(tmp_path: Path) -> None:
    it = fitted(ACCEPTED)
    page = read(replace(it, recording=replace(it.recording, answers={1: (-0.5, 0.25), 3: (0.8, 0.1)})), tmp_path)
    assert page.tags["svg"] == 5
    assert "negative -0.50, 0.25; positive 0.80, 0.10" in page.alts[-1]


def test_the_time_of_blocks_is_not_guessed_where_some_had_nothing_usable(tmp_path: Path) -> None:
    it = fitted(ACCEPTED)
    late = StepSpan("block", 13, "positive", 50000, 51000)
    page = read(replace(it, recording=replace(it.recording, blocks=(*it.recording.blocks, late))), tmp_path)
    assert "time in session (min)" not in page.text


@pytest.mark.parametrize("title", ["<b>$x$ & 'more'</b>", "Ärger und Ruhe · 日本"])
def test_words_of_a_protocol_stay_words(title: str, tmp_path: Path) -> None:
    it = fitted(ACCEPTED)
    protocol = it.recording.protocol.model_copy(update={"title": title, "about": title})
    page = read(replace(it, recording=replace(it.recording, protocol=protocol)), tmp_path)
    assert page.tags["b"] == 0
    assert title in page.text


def test_the_same_fit_makes_the_same_page(tmp_path: Path) -> None:
    one, other = (write_page(fitted(ACCEPTED, heads=True), tmp_path / f"{name}.json") for name in "ab")
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.usefixtures("no_figures")
def test_a_page_replaces_an_older_one_of_the_profile_and_nothing_else(tmp_path: Path) -> None:
    it, path = fitted(REFUSED), tmp_path / "p.html"
    path.write_text("<p>mine</p>")
    with pytest.raises(ConfigError, match="that is another file"):
        check_place(tmp_path / "p.json")
    assert write_page(it, tmp_path / "p.json") == tmp_path / "p_2.html"
    assert path.read_text() == "<p>mine</p>"
    path.unlink()
    assert write_page(it, tmp_path / "p.json") == path
    check_place(tmp_path / "p.json")
    assert write_page(it, tmp_path / "p.json") == path
