"""Precedence, and a plain word for every mistake."""

from __future__ import annotations

import pytest

from realtime_mood import app, language, liblsl
from realtime_mood.cli import config
from realtime_mood.cli.config import resolve
from realtime_mood.errors import ConfigError
from realtime_mood.viewmodel.notes import translated


def test_command_line_over_environment_over_file_over_defaults(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('source = "lsl://file"\nnotch = "60"\nreadout = "effort"\n')
    environment = {"REALTIME_MOOD_SOURCE": "lsl://environment", "REALTIME_MOOD_NOTCH": "50", "REALTIME_MOOD_DATA": "x"}
    made = resolve({"source": "lsl://line", "notch": None}, file, environment)
    assert (made.source, made.notch, made.readout, made.view) == ("lsl://line", "50", "effort", "auto")


def test_urls_may_be_repeated_and_separated_by_spaces():
    made = resolve(
        {"also": ["lsl://A", "lsl://B c", "lsl://A"]}, None, {"REALTIME_MOOD_MARKERS": "lsl://A b  lsl://C?x=1"}
    )
    assert made.also == ("lsl://A", "lsl://B c")
    assert made.markers == ("lsl://A b", "lsl://C?x=1")
    assert made.on_lsl
    assert resolve({}, None, {"REALTIME_MOOD_ALSO": ""}).also == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [('colour = "red"', "colour"), ('notch = "55"', "55"), ("seconds = -1", "seconds"), ("source = ", "TOML")],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, says):
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says):
        resolve({}, file, {})


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        resolve({}, tmp_path / "none.toml", {})


def test_an_unknown_word_in_the_environment():
    with pytest.raises(ConfigError, match="weigths"):
        resolve({}, None, {"REALTIME_MOOD_WEIGTHS": "x"})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Write a `realtime_mood.toml` into the current folder; the user's own file lies elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "user_config_path", lambda name: tmp_path / "own")
    (tmp_path / "own").mkdir()

    def write(text, own=""):
        (tmp_path / "realtime_mood.toml").write_text(text, encoding="utf-8-sig")
        if own:
            (tmp_path / "own" / "config.toml").write_text(own, encoding="utf-8-sig")

    return write


ALL = dict.fromkeys(config.RunConfig.model_fields)


def test_a_file_found_in_the_current_folder_is_announced_and_loses_to_words(here, capsys):
    here('source = "lsl://found"\nnotch = "60"\n', own='notch = "50"\nreadout = "effort"\n')
    made = resolve({**ALL, "source": "lsl://line"}, None, {})
    assert (made.source, made.notch, made.readout) == ("lsl://line", "60", "effort")
    assert capsys.readouterr().err == "Options from realtime_mood.toml in this folder: source, notch\n"


REACHING = {
    "record": '"x.xdf"',
    "csv": '"x.csv"',
    "encrypt": '"mood.key"',
    "lsl_out": "true",
    "osc": '"192.168.0.7:9000"',
    "osc_muse": '"example.org:5000"',
    "ws": '"0.0.0.0:8765"',
    "lsl_scope": '"site"',
    "retention": "1",
    "sink": '["csv://x.csv", "lamp://y"]',
}


@pytest.mark.parametrize("key", REACHING)
def test_a_found_file_neither_writes_nor_lets_others_listen(here, key, tmp_path, capsys):
    here(f"{key} = {REACHING[key]}\n")
    with pytest.raises(ConfigError) as refused:
        resolve(ALL, None, {})
    option = f"--{key.replace('_', '-')}"
    assert "realtime_mood.toml in this folder" in str(refused.value)
    assert option in str(refused.value)
    assert "--config realtime_mood.toml" in str(refused.value)
    trusted = resolve(ALL, tmp_path / "realtime_mood.toml", {})
    assert getattr(trusted, key)
    assert getattr(resolve({"source": None}, None, {}), key) == config.RunConfig.model_fields[key].default
    word = {"lsl_out": False, "lsl_scope": "link", "sink": ("osc://127.0.0.1:7000",), "retention": 30.0}.get(
        key, "127.0.0.1:7000"
    )
    assert str(getattr(resolve({**ALL, key: word}, None, {}), key)) == str(word)


@pytest.mark.parametrize(
    "line", ['ws = "8765"', 'ws = "[::1]:8765"', 'osc = "localhost:9000"', 'lsl_scope = "loopback"']
)
def test_a_found_file_may_send_to_this_machine(here, line):
    here(line)
    key, _, value = line.partition(" = ")
    assert getattr(resolve(ALL, None, {}), key) == value.strip('"')


@pytest.mark.parametrize(("own", "found", "makes"), [
    ("loopback", "loopback", "loopback"), ("loopback", "machine", "loopback"), ("site", "link", "link"),
    ("machine", "site", "machine"),
])  # fmt: skip
def test_a_found_file_never_reaches_further_than_the_user_s_own(here, own, found, makes):
    here(f'lsl_scope = "{found}"', own=f'lsl_scope = "{own}"')
    assert resolve(ALL, None, {}).lsl_scope == makes


def test_the_user_s_own_file_may_do_all_that(here):
    here("", own='ws = "0.0.0.0:8765"\nrecord = "x.xdf"\n')
    made = resolve(ALL, None, {})
    assert (made.ws, str(made.record)) == ("0.0.0.0:8765", "x.xdf")


@pytest.mark.parametrize(("options", "said"), [
    ({"ws": "8765", "osc": "localhost:9000", "osc_muse": "127.0.0.1:5000"}, []),
    ({"ws": "0.0.0.0:8765"}, ["readings: --ws 0.0.0.0:8765"]),
    ({"osc": "192.168.0.7:9000", "osc_muse": "lab:1"}, ["readings: --osc 192.168.0.7:9000, --osc-muse lab:1"]),
    ({"lsl_out": True}, ["readings: --lsl-out"]),
    ({"lsl_out": True, "lsl_scope": "link"}, ["readings: --lsl-out"]),
    ({"lsl_out": True, "lsl_scope": "loopback"}, []),
    ({"lsl_scope": "site"}, []),  # LSL is not used
    ({"lsl_scope": "site", "source": "lsl://cap"}, ["beyond this computer: --lsl-scope site"]),
    ({"sink": ("osc://10.0.0.3:9000", "csv://a.csv", "ws://8765", "lsl://Out?a=1", "lamp://10.0.0.3:1")},
     ["readings: --sink osc://10.0.0.3:9000, --sink lsl://Out?a=1"]),
])  # fmt: skip
def test_what_leaves_this_computer_is_a_note(monkeypatch, capsys, options, said):
    made = config.RunConfig(**options)
    monkeypatch.setattr(liblsl, "_scope", [made.lsl_scope] if made.lsl_scope else [])
    monkeypatch.setattr(liblsl, "own_configuration", lambda: None)
    notes = config.leaving(made)
    capsys.readouterr()
    liblsl.say_leaving("the stream EEG")
    wide = made.lsl_scope not in ("loopback", "machine")
    assert ("can receive the stream EEG: --lsl-scope loopback" in capsys.readouterr().err) is wide
    assert len(notes) == len(said)
    assert all(note.endswith(text) for note, text in zip(notes, said, strict=True))


def test_a_run_says_at_its_start_what_leaves_this_computer(capsys):
    made = config.RunConfig(source="synthetic://?n_chans=4", runtime="onnx", osc="192.0.2.1:9000")
    engine = app.make_engine(made)
    note = "other computers can receive readings: --osc 192.0.2.1:9000"
    assert note in capsys.readouterr().err.splitlines()
    with engine:
        assert note in engine.health.notes
        assert engine.health.leaving == (note,)
    assert translated(note) == note
    language.use("de")
    assert translated(note).startswith("andere Computer")
    language.use("en")
