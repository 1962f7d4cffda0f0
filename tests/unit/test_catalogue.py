"""Texts that people read go through the catalogue, and the German one is complete and compiled."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from realtime_mood import language

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "realtime_mood" / "language"
FOLDERS = ("realtime_mood/gui", "realtime_mood/viewmodel", "calibration/view")
MARKS = {"_", "N_", "ngettext", "Phrase"}
MESSAGES = {
    "realtime_mood/gui/desktop.py", "realtime_mood/viewmodel/computer_check.py", "calibration/view/media.py",
    "calibration/view/sound.py",
}  # fmt: skip
"""Files whose texts are errors, notes and names of checks, which stay English."""
LOGS = {"exception", "error", "warning", "fail", "find", "check"}
"""Calls whose texts go to the log, the notes or an error, which stay English."""
# Which arguments of a call are text that somebody reads: places, and names.
TEXTS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "PlainLabel": ((0,), ("text",)), "QLabel": ((0,), ("text",)), "label": ((0,), ()), "button": ((0, 2), ()),
    "QPushButton": ((0,), ("text",)), "QCheckBox": ((0,), ()), "QAction": ((0,), ()), "QDockWidget": ((0,), ()),
    "QMessageBox": ((1, 2), ()), "QMenu": ((0,), ()), "set_tip": ((1,), ()), "show_tip": ((1,), ()), "tool": ((1,), ()),
    "setText": ((0,), ()), "setToolTip": ((0,), ()), "setWindowTitle": ((0,), ()), "setTitle": ((0,), ()),
    "setPlaceholderText": ((0,), ()), "setAccessibleName": ((0,), ()), "setAccessibleDescription": ((0,), ()),
    "addAction": ((0,), ()), "addMenu": ((0,), ()), "addTab": ((1,), ()), "addItem": ((0,), ()), "addItems": ((0,), ()),
    "addRow": ((0,), ()), "addButton": ((0,), ()), "drawText": ((1, 2), ()), "getSaveFileName": ((1, 3), ()),
    "getOpenFileName": ((1,), ()), "StyledText": ((0, 2), ("text", "tip")), "Action": ((0, 2), ("text", "why")),
    "Choice": ((0, 1), ("title", "detail")), "Shortcut": ((1,), ("words",)), "Legend": ((0,), ("words",)),
    "Finding": ((2, 3), ("found", "do")), "PlaneView": ((), ("words",)), "MapHead": ((0,), ()), "write": ((3,), ()),
    "named": ((1,), ()), "bare": ((0,), ()), "show_text": ((0,), ()),
}  # fmt: skip
# Units, names and signs that are the same in every language.
PLAIN = re.compile(r"\b(?:Realtime mood|N|µV|s|ms|Hz|kΩ|MB|SD|dB|R|Esc|F11|LSL|txt|events)\b")
LOOKS_LIKE_A_SENTENCE = re.compile(r"[A-Za-z]{2,}[,.:;]? [a-z]{2,}")
STYLE = re.compile(r"\dpx|[a-z-]+: [^;]+;|border|solid")


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def literals(node: ast.AST) -> Iterator[ast.Constant]:
    """The pieces of text in an expression that are no argument of a mark, and of no other call."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield from literals(node.func.value)  # "…".format(…)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.FormattedValue):
        yield from literals(node.value)
    elif isinstance(node, ast.Dict | ast.Subscript | ast.Compare):
        return
    elif not isinstance(node, ast.expr_context | ast.operator | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


def bypassing(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts of widgets that are not marked: line and text."""
    exempt: set[int] = set()  # docstrings, marked texts, errors and the log
    marked: set[str] = set()  # keys of a table are translated where they are shown
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            exempt.add(id(node.value))
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and name_of(node) in MARKS | LOGS):
            exempt.update(id(child) for child in ast.walk(node))
            marked.update(
                it.value for it in ast.walk(node) if isinstance(it, ast.Constant) and isinstance(it.value, str)
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node) in TEXTS:
            places, names = TEXTS[name_of(node)]
            texts = [node.args[i] for i in places if i < len(node.args)]
            texts += [keyword.value for keyword in node.keywords if keyword.arg in names]
            for piece in (piece for text in texts for piece in literals(text)):
                if id(piece) not in exempt and re.search(r"[^\W\d_]", PLAIN.sub("", piece.value)):
                    yield piece.lineno, piece.value
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in exempt:
            is_sentence = LOOKS_LIKE_A_SENTENCE.search(PLAIN.sub("", node.value)) and not STYLE.search(node.value)
            if is_sentence and node.value not in marked:
                yield node.lineno, node.value


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_text_of_a_widget_bypasses_the_catalogue(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.as_posix().removeprefix(ROOT.as_posix() + "/") not in MESSAGES
        for line, text in bypassing(ast.parse(path.read_text(encoding="utf8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        'QPushButton("Start")', 'x.setText(f"{n} electrodes")', 'StyledText("Signal poor" if bad else "", "warn")',
        'Action("Stop", True, why="End the run")', 'text = "The run has ended"', 'p.drawText(box, CENTRE, "now")',
        'menu.addAction("Full screen {n}".format(n=1))',
    ],
)  # fmt: skip
def test_the_search_finds_what_bypasses(code: str) -> None:
    assert list(bypassing(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        'QPushButton(_("Start"))', 'x.setText(_("{n} electrodes").format(n=n))', 'x.setText(f"{uv:g} µV · {name}")',
        'StyledText(_("Signal poor") if bad else "", "warn")', 'WORDS = {"a": N_("The run has ended")}',
        'raise ConfigError("the window", "no display here", "use another view")', '"""The docstring of a module."""',
        'x.setStyleSheet("color: red; padding: 2px 12px;")', 'log.exception("could not start the run")',
    ],
)  # fmt: skip
def test_the_search_leaves_the_rest(code: str) -> None:
    assert not list(bypassing(ast.parse(code)))


COMMAND = re.compile(r"(sudo|pip install|rfkill|bluetoothctl|unset|udp dport|tcp dport) |realtime_mood doctor")


def test_no_finding_of_doctor_bypasses_the_catalogue() -> None:
    """Commands, names of checks and what other programs print stay as they are."""
    files = {
        path for path in (ROOT / "realtime_mood" / "doctor").glob("*.py") if path.stem not in ("commands", "running")
    }
    found = {text for path in files for _line, text in bypassing(ast.parse(path.read_text(encoding="utf8")))}
    assert {text for text in found if not COMMAND.match(text)} == {
        "serial ports", "LSL streams of last time", "Powered: yes", "Python ",
    }  # fmt: skip


def test_no_mark_is_inside_another() -> None:
    """The extraction finds only the outer one."""
    for path in (*(ROOT / "realtime_mood").glob("*/**/*.py"), *(ROOT / "calibration").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
                inner = [it for arg in node.args for it in ast.walk(arg) if isinstance(it, ast.Call)]
                assert not [it for it in inner if name_of(it) in MARKS], f"{path}:{node.lineno}"
                f_strings = [arg for arg in node.args if isinstance(arg, ast.JoinedStr)]
                assert not f_strings, f"{path}:{node.lineno}: an f-string cannot be extracted"


@pytest.fixture(scope="module")
def extracted() -> set[str | tuple[str, ...]]:
    """Every text that is marked now."""
    with (FOLDER / "babel.cfg").open(encoding="utf8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"_": None, "N_": None, "ngettext": (1, 2), "Phrase": None}
    found = extract_from_dir(ROOT, methods, options, keywords)
    return {text for _path, _line, text, *_rest in found if text}


def fields(text: str) -> list[str]:
    return sorted(f"{name}:{spec}" for _text, name, spec, _conversion in Formatter().parse(text) if name is not None)


def test_the_german_catalogue_is_complete(extracted: set[str | tuple[str, ...]]) -> None:
    with (FOLDER / "de" / "LC_MESSAGES" / "realtime_mood.po").open("rb") as file:
        catalogue = read_po(file, locale="de")
    texts = {message.id: message.string for message in catalogue if message.id}
    assert not (extracted ^ set(texts)), "make messages, and translate what is new"
    empty = [text for text, german in texts.items() if not (german if isinstance(german, str) else all(german))]
    assert not empty, "without a translation"
    for text, german in texts.items():
        for one, other in zip(*((it,) if isinstance(it, str) else it for it in (text, german)), strict=True):
            if "{" in one:
                assert fields(one) == fields(other), one


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    with (FOLDER / "de" / "LC_MESSAGES" / "realtime_mood.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    with (FOLDER / "de" / "LC_MESSAGES" / "realtime_mood.po").open("rb") as file:
        catalogue = read_po(file, locale="de")
    for message in catalogue:
        if isinstance(message.id, tuple):
            assert tuple(compiled.ngettext(*message.id, n) for n in (1, 2)) == tuple(message.string)
        elif message.id:
            assert compiled.gettext(message.id) == message.string
    assert len(compiled._catalog) == sum(len(m.id) if isinstance(m.id, tuple) else 1 for m in catalogue)  # type: ignore[attr-defined]


def test_each_language_has_its_catalogue() -> None:
    assert {path.name for path in FOLDER.iterdir() if (path / "LC_MESSAGES").is_dir()} == set(language.NAMES) - {"en"}
