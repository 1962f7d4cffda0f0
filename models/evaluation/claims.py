"""What results on held-out subjects allow one to claim, and what warns of them: from 95 % confidence intervals only.

A method is above chance, or above a control, where the interval of the difference, paired over subjects, is above
zero. Only labels that were permuted by trial are judged by 99 % intervals of Student's t: with few subjects, those of
the bootstrap are too narrow to say that an evaluation leaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scipy.stats import ttest_1samp

from realtime_mood.readout import HeldOutResult

from ..card_page import SEEN_STIMULI, may_be_claimed, not_felt
from . import report, sessions
from .controls.order import WITHOUT_SIGNAL
from .labelled import LOOKS_AHEAD

ORDER = tuple(m.name for m in WITHOUT_SIGNAL)
"""Controls that see no signal."""
SIGNAL = ("distance", "muscle")
"""Controls that see a part of it."""
LEAK_LEVEL = 0.99
Measures = Mapping[str, Any]


def verdicts(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What may be claimed of every method, by channel set and method.

    Parameters
    ----------
    result : mapping
        Of `evaluate`: ``about``, ``results`` (a `report.summary`) and ``control_rows``.

    Returns
    -------
    dict
        ``above_chance``; ``controls``, the paired differences to each control; ``not_above``, the controls that it is
        not above, the strongest first; and ``claim``.
    """
    found = {}
    for channels, methods in result["results"].items():
        controls = _comparable(result, channels)
        found[channels] = {
            name: _verdict(result, m, controls)
            for name, m in methods.items()
            if name not in ("majority", *ORDER, *SIGNAL) and len(m["people"]) == len(methods[ORDER[0]]["people"])
        }
    return found


def _comparable(result: Mapping[str, Any], channels: str) -> dict[str, Measures]:
    """The controls for methods on these channels."""
    rows, here = result["control_rows"], result["results"][channels]
    controls = {name: here[name] for name in (*ORDER, "distance") if name in here}
    if "distance" not in controls and rows["distance"]["channels"] == channels:
        controls["distance"] = rows["distance"]
    if "people" in rows["muscle"]:
        controls["muscle"] = rows["muscle"]
    return controls


def _verdict(result: Mapping[str, Any], m: Measures, controls: Mapping[str, Measures]) -> dict[str, Any]:
    about = result["about"]
    less = {
        name: report.difference(m["people"], row["people"], about["seed"])["balanced_accuracy"]
        for name, row in controls.items()
    }
    strength = {name: row["balanced_accuracy"]["mean"] for name, row in controls.items()}
    not_above = sorted((n for n, d in less.items() if not _above(d)), key=lambda n: -strength[n])
    accuracy = m["balanced_accuracy"]
    shown = HeldOutResult(
        data_set=about["title"], n_subjects=len(m["people"]), virtual=about["simulated"], accuracy=accuracy["mean"],
        low=accuracy["interval"][0], high=accuracy["interval"][1], chance=m["chance"],
        above_chance=_above(m["above_chance"]), above_controls=not set(ORDER) & set(not_above),
    )  # fmt: skip
    who = {"who": "its training subjects in another session"} if about["protocol"] == sessions.PROTOCOL else {}
    claim = may_be_claimed(about["readout"], shown, list(_limits(result, not_above)), **who)
    if leaking(result) and not shown.virtual:
        claim = "nothing: labels permuted by trial are read above chance"
    return {"above_chance": shown.above_chance, "controls": less, "not_above": not_above, "claim": claim}


def _limits(result: Mapping[str, Any], not_above: Sequence[str]) -> Iterator[str]:
    about, rows = result["about"], result["control_rows"]
    yield from not_felt(about["labels_mean"])
    if about["protocol"] == sessions.PROTOCOL:
        yield "not for unseen subjects"
    if about["protocol"] != "subject-clip":
        yield SEEN_STIMULI
    if _above(rows["clip_identity"].get("above_chance")):
        yield "it may recognise the stimulus"
    if "muscle" in not_above:
        yield "not that it reads the brain: muscles and eyes alone do as well"
    elif "not_available" in rows["muscle"]:
        yield f"not that it reads the brain: {rows['muscle']['not_available']}"
    if "distance" in not_above:
        yield "not more than any change from the baseline"
    if about["looks_ahead"]:
        yield f"not live: {LOOKS_AHEAD}"
    if about["track"] == "l":
        yield "with own trials, only for subjects who calibrate"
    if about["track"] == "t":
        yield "not live: the statistics are those of the tested seconds themselves"


def _above(difference: Mapping[str, Any] | None) -> bool:
    return bool(difference and difference["interval"] and difference["interval"][0] > 0)


def leaking(result: Mapping[str, Any]) -> bool:
    """Whether permuted labels are read: the lower end of the 99 % interval over subjects is above chance."""
    subjects = result["control_rows"]["permuted"]["people"]
    above = [p["balanced_accuracy"] - p["chance"] for p in subjects]
    if max(above) == min(above):
        return above[0] > 0
    return bool(ttest_1samp(above, 0).confidence_interval(LEAK_LEVEL).low > 0)


def warnings(result: Mapping[str, Any]) -> list[str]:
    """Sentences on what may explain a table beside its subject, and on each method that is not above it."""
    rows, found = result["control_rows"], []
    if result["about"]["looks_ahead"]:
        found.append(LOOKS_AHEAD)
    if leaking(result):
        row = rows["permuted"]
        found.append(f"labels permuted by trial: balanced accuracy {_figure(row)}: {row['if_above_chance']}")
    for row in (rows[name] for name in ORDER):
        if _above(row["above_chance"]):
            found.append(
                f"{row['title']}: balanced accuracy {row['balanced_accuracy']['mean']:.3f} without any signal "
                f"(chance {row['chance']:.3f}): {row['if_above_chance']}; compare every method with it"
            )
    clips = rows["clip_identity"]
    if _above(clips.get("above_chance")):
        found.append(
            f"the stimulus itself is recognised among those of the same label in "
            f"{clips['trial_balanced_accuracy']['mean']:.3f} of trials (chance {clips['chance']:.3f}): "
            f"{clips['if_above_chance']}"
        )
    return [*found, *_of_methods(result)]


def _of_methods(result: Mapping[str, Any]) -> Iterator[str]:
    """Methods that are not above chance, or not above the strongest control."""
    for channels, methods in result["verdicts"].items():
        for name, verdict in methods.items():
            m, title = result["results"][channels][name], f"{result['methods'][name]} ({channels} channels)"
            if not verdict["above_chance"]:
                yield f"{title} is not above chance: balanced accuracy {_figure(m)}, chance {m['chance']:.3f}"
            for control in verdict["not_above"][:1]:
                less = verdict["controls"][control]
                low, high = less["interval"]
                yield (
                    f"{title} is not above the control “{_name(result, control)}” "
                    f"(paired difference {less['mean']:+.3f}, 95 % CI {low:+.3f} to {high:+.3f})"
                )


def _figure(m: Measures) -> str:
    mean, (low, high) = m["balanced_accuracy"]["mean"], m["balanced_accuracy"]["interval"]
    return f"{mean:.3f} (95 % CI {low:.3f} to {high:.3f})"


def _name(result: Mapping[str, Any], control: str) -> str:
    return str(result["control_rows"][control]["title"]).removesuffix(" (control)")


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What may be claimed, by channel set; methods of which the same may be claimed are together."""
    lines = [f"a label says {result['about']['labels_mean']}"]
    for channels, methods in result["verdicts"].items():
        by_claim: dict[str, list[str]] = {}
        for name, verdict in methods.items():
            by_claim.setdefault(verdict["claim"], []).append(result["methods"][name])
        lines += [f"{', '.join(titles)} ({channels} channels): {claim}" for claim, titles in by_claim.items()]
    return lines
