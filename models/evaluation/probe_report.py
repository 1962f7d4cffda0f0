"""The table of the probe suite, on the terminal and as Markdown, and what it says of the encoders in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .figures import text_of

HEADS = ("task", "electrodes", "features", "balanced accuracy, or r", "AUC", "− untrained encoder", "− log band powers")
NO_ENCODER = ("bands", "spectrum", "de", "untrained", "de-branch")
EXPLAINED = (
    "r (Pearson) of ratings, within each subject; 95 % bootstrap intervals over people; differences are paired by "
    "person; regularisation is chosen on other people"
)


def table(result: Mapping[str, Any]) -> Iterator[list[tuple[str, ...]]]:
    """The rows below `HEADS`, task by task."""
    for found in result["tasks"].values():
        if "absent" in found:
            yield [(found["title"], "", f"not available: {found['absent']}", "", "", "", "")]
            continue
        for channels, by_row in found["sets"].items():
            about = f"{found['title']} ({found['people']} people, chance {found['chance']:.2f})"
            yield [
                (about if i == 0 else "", channels if i == 0 else "", *_row(name, m, found, result["rows"]))
                for i, (name, m) in enumerate(by_row.items())
            ]


def _row(name: str, m: Mapping[str, Any], found: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[str, ...]:
    title = titles[name]
    if name == "encoder" and found["seen_in_pretraining"]:
        title += f" (pre-trained on {found['seen_in_pretraining']} of these people, without labels)"
    if "not_available" in m:
        return f"{title}: not available, {m['not_available']}", "", "", "", ""
    cells = (m[found["measure"]], m.get("auc"))
    differences = (m.get("minus_untrained"), m.get("minus_bands"))
    return (title, *("" if c is None else text_of(c) for c in cells),
            *("" if d is None else text_of(d, "+") for d in differences))  # fmt: skip


def sentences(result: Mapping[str, Any]) -> list[str]:
    """How often each encoder is ahead of or behind the untrained one and band powers, by paired intervals."""
    lines = [EXPLAINED]
    if (share := result["about"]["label_share"]) < 1:
        lines.append(f"a share of {share:g} of the training people's labels was used")
    for name, title in result["rows"].items():
        if name in NO_ENCODER:
            continue
        for other, of in (("untrained", "the untrained encoder"), ("bands", "log band powers")):
            differences = [
                (f"{found['title'].partition(',')[0]} {task} {channels}", m[f"minus_{other}"]["interval"])
                for task, found in result["tasks"].items()
                for channels, by_row in found.get("sets", {}).items()
                if (m := by_row.get(name)) and m.get(f"minus_{other}")
            ]
            ahead = [what for what, interval in differences if interval[0] > 0]
            behind = [what for what, interval in differences if interval[1] < 0]
            lines.append(
                f"{title}, against {of}: ahead in {len(ahead)} of {len(differences)} rows"
                + (f" ({'; '.join(ahead)})" if ahead else "")
                + f", behind in {len(behind)}"
                + (f" ({'; '.join(behind)})" if behind else "")
            )
    return lines


def markdown(result: Mapping[str, Any]) -> str:
    """The table below the command, and the sentences."""
    rows = [HEADS, ("---",) * len(HEADS), *(row for section in table(result) for row in section)]
    cells = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    parts = ["# Probes", f"`{result['about']['command']}`", "\n".join(cells)]
    return "\n\n".join([*parts, "\n".join(f"- {line}" for line in sentences(result))]) + "\n"


def print_table(result: Mapping[str, Any], console: Console) -> None:
    """Print the table and the sentences."""
    shown = Table(title="Probes: frozen features under a linear model", title_justify="left")
    for head in HEADS:
        shown.add_column(head)
    for section in table(result):
        for i, row in enumerate(section):
            shown.add_row(*map(Text, row), end_section=i == len(section) - 1)
    console.print(shown)
    for line in sentences(result):
        console.print(f"- {line}", markup=False, highlight=False)
