"""Named setups: what is saved is read again, by `--setup` and in the window."""

from __future__ import annotations

import stat
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_mood import app
from realtime_mood.cli import config
from realtime_mood.cli.config import RunConfig, resolve
from realtime_mood.cli.setups import NamedSetups, as_toml
from realtime_mood.errors import ConfigError
from realtime_mood.viewmodel.actions import RunRequest


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's configuration folder; the current folder is another."""
    monkeypatch.setattr(config, "user_config_path", lambda _name: tmp_path / "own")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "own"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.text("a\"\\'\n\x7f\U0001f9e0 ,]")), st.floats())
def test_any_value_is_the_same_after_toml(text, several, number):
    lines = f"a = {as_toml(text)}\nb = {as_toml(tuple(several))}\nc = {as_toml(number)}\nd = {as_toml(True)}\n"
    read = tomllib.loads(lines)
    assert (read["a"], read["b"], read["d"]) == (text, several, True)
    assert repr(read["c"]) == repr(number)


def test_a_setup_has_the_source_and_the_options_but_nothing_of_the_subject(own):
    made = resolve({"notch": "60", "participant": "P7", "profile": own / "p.json", "sink": ["csv://x.csv"]})
    setups = NamedSetups(made)
    setups.save("Lab 2", RunRequest("lsl://Cap", also=("lsl://Gaze", "lsl://Näme x")))
    file = own / "setups" / "Lab 2.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert tomllib.loads(file.read_text("utf8")) == {
        "source": "lsl://Cap", "notch": "60", "also": ["lsl://Gaze", "lsl://Näme x"], "sink": ["csv://x.csv"],
    }  # fmt: skip
    again = resolve({"device": "cpu"}, setup="Lab 2", environment={})
    assert (again.source, again.notch, again.device, again.participant) == ("lsl://Cap", "60", "cpu", "")


def test_the_command_line_is_stronger_than_a_setup_and_a_setup_than_the_user_s_own_file(own, capsys):
    NamedSetups(RunConfig(notch="60")).save("Lab", RunRequest("lsl://Cap"))
    (own / "config.toml").write_text('notch = "50"\nreadout = "effort"\n')
    config.FOUND.write_text('source = "lsl://found"\nrecord = "x.xdf"\n')  # in this folder: not read with a setup
    made = resolve({"source": "lsl://line", "record": None}, setup="Lab", environment={})
    assert (made.source, made.notch, made.readout, made.record) == ("lsl://line", "60", "effort", None)
    assert capsys.readouterr().err == ""


def test_an_unknown_setup_is_answered_with_those_there_are(own, capsys):
    with pytest.raises(ConfigError, match="no such setup · save one in the window"):
        resolve({}, setup="Lab")
    for name in ("Lab", "Home"):
        NamedSetups(RunConfig()).save(name, RunRequest("lsl://Cap"))
    assert app.command(["run", "--setup", "../Lab"]) == 2
    assert capsys.readouterr().err == "error: setup '../Lab' · no such setup · one of Home, Lab\n"


@pytest.mark.parametrize("verb", ["run", "calibrate", "feedback"])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"source = ", "not readable as TOML"),
        (b"\x00\xff\xfe", "not readable as TOML"),
        (b"weight = 3", "no such option"),
        (b'notch = "55"', "Input should be"),
    ],
)
def test_a_setup_that_cannot_be_used_is_named_by_every_verb(own, capsys, verb, content, found):
    (own / "setups").mkdir(parents=True)
    (own / "setups" / "Old.toml").write_bytes(content)
    assert app.command([verb, "--setup", "Old", "--view", "json"]) == 2
    error = capsys.readouterr().err
    assert found in error
    assert "Old.toml" in error
    assert (own / "setups" / "Old.toml").read_bytes() == content


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x.", "a\nb", "x" * 99])
def test_a_name_that_is_no_file_name_is_refused(own, name):
    with pytest.raises(ConfigError, match="not a name"):
        NamedSetups(RunConfig()).save(name, RunRequest("lsl://Cap"))
    assert not (own / "setups").exists()


def test_what_was_started_last_comes_first_and_simulated_subjects_are_not_remembered(own):
    setups = NamedSetups(RunConfig())
    setups.save("A", RunRequest("lsl://A"))
    setups.remember(RunRequest("synthetic://?n_chans=8"))
    assert setups.listed() == [("A", "lsl://A")]
    setups.remember(RunRequest("brainflow://cyton?serial_port=/dev/ttyUSB0"))
    (own / "setups" / "broken.toml").write_text("source = ")
    assert setups.listed() == [("last", "brainflow://cyton?serial_port=/dev/ttyUSB0"), ("A", "lsl://A")]
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        setups.use("broken")


def test_a_setup_is_renamed_and_deleted_and_brought_back(own):
    setups = NamedSetups(RunConfig(notch="60"))
    for name in ("Lab", "Home"):
        setups.save(name, RunRequest("lsl://Cap"))
    before = (own / "setups" / "Lab.toml").read_bytes()
    for wrong in ("home", "last", "a/b"):
        with pytest.raises(ConfigError):
            setups.rename("Lab", wrong)
    setups.rename("Lab", "lab 2")
    assert setups.listed() == [("Home", "lsl://Cap"), ("lab 2", "lsl://Cap")]
    restore = setups.delete("lab 2")
    assert setups.listed() == [("Home", "lsl://Cap")]
    restore()
    file = own / "setups" / "lab 2.toml"
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (before, 0o600)
    file.write_text("weight = 3")
    assert list(setups.unreadable()) == ["lab 2"]
    assert "no such option" in setups.unreadable()["lab 2"]
    with pytest.raises(ConfigError, match="no such setup"):
        setups.delete("Lab")


def test_the_window_uses_a_setup_and_keeps_what_belongs_to_the_session(own, monkeypatch):
    NamedSetups(RunConfig(weights="reader-4")).save("A", RunRequest("lsl://A", markers=("lsl://M",)))
    setups = NamedSetups(RunConfig(source="lsl://B", participant="P7", notch="50", seconds=5))
    monkeypatch.setenv("REALTIME_MOOD_SOURCE", "lsl://environment")
    assert setups.use("A") == RunRequest("lsl://A", markers=("lsl://M",))
    used = setups.config
    assert (setups.weights, used.participant, used.seconds, used.notch) == ("reader-4", "P7", 5, "auto")


def test_a_folder_that_cannot_be_made_is_said_and_costs_no_run(own):
    own.write_text("a file")
    setups = NamedSetups(RunConfig())
    setups.remember(RunRequest("lsl://A"))
    with pytest.raises(ConfigError, match="could not be saved"):
        setups.save("A", RunRequest("lsl://A"))
