"""The forms of the result; what is to be pasted into an issue holds no names."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import app
from realtime_mood.doctor import commands, machine, report
from realtime_mood.doctor.finding import CHECKS, Check, Finding, Level
from realtime_mood.errors import one_line
from realtime_mood.language import Phrase

PLANTED = ("Annika", "annika-laptop.example.org", "Annika's Muse", "Muse-5B3F", "lab-pc", "192.168.7.21",
           "00:55:DA:B9:1C:0E", "fe80::12ab:34ff:fe56:789a", "UN20190515", "/media/annika/EEG disk", "/data/p07",
           "DM00Q0QG", "room2")  # fmt: skip
PLAIN = [Finding("disk", Level.WARNING, "28 % used")]


def test_an_account_that_everybody_has_is_no_name(monkeypatch):
    monkeypatch.setattr(report, "_user", lambda: "root")
    assert report.without_names("without root, in /root/x", [], Path("/root")) == "without root, in ~/x"


def test_the_report_has_no_names(monkeypatch):
    monkeypatch.setattr(report, "_user", lambda: "annika")
    home = Path("/home/annika")
    names = [("stream", "Annika's Muse"), ("source", "Muse-5B3F"), ("host", "lab-pc"), ("setting", "room2"),
             ("path", "/media/annika/EEG disk"), ("path", str(home / "data")), ("host", "annika-laptop.example.org"),
             ("port", "/dev/cu.usbserial-DM00Q0QG")]  # fmt: skip
    body = (
        "realtime_mood 0.1.0 · Python 3.11.7 · Linux 6.18.44\n"
        "500 MB free for /home/annika/data; log in /home/annika; disk /media/annika/EEG disk, /data/p07\n"
        'stream "Annika\'s Muse" (Muse-5B3F, from LAB-PC) and lab-pc again, by annika-laptop.example.org\n'
        "address 192.168.7.21, 127.0.0.1, group 239.255.172.215, fe80::12ab:34ff:fe56:789a, mac 00:55:DA:B9:1C:0E\n"
        "serial UN20190515, /dev/cu.usbserial-DM00Q0QG, /dev/ttyUSB0, SessionID = room2, annika, 16:20:05\n"
    )
    out = report.without_names(body, names, home)
    assert not [name for name in PLANTED if name.lower() in out.lower()]
    for kept in ("0.1.0", "3.11.7", "6.18.44", "127.0.0.1", "239.255.172.215", "/dev/ttyUSB0", "500 MB free"):
        assert kept in out
    assert "free for ~/data; log in ~;" in out
    assert "16:20:05" in out
    assert re.search(r"from (host-\d)\) and \1 again", out)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"), max_size=12),
       st.text(max_size=12), st.text(max_size=12))  # fmt: skip
def test_no_text_breaks_the_report(name, found, do):
    finding = Finding("x", Level.WARNING, f"{found}{name}", do, (("stream", name),))
    assert report.for_an_issue([finding], "link").startswith("```text\n")
    assert len(list(report.text([finding], "link"))) == (4 if one_line(do) else 3)
    assert json.loads(json.dumps(report.as_object([finding], "link")))["exit_code"] == 1


@pytest.mark.parametrize(("level", "code", "verdict"), [
    (Level.OK, 0, "Nothing is wrong"), (Level.WARNING, 1, "Nothing prevents a run or a recording · warnings: 1"),
    (Level.WRONG, 2, "Faults that prevent a run or a recording: 1 · warnings: 0"),
])  # fmt: skip
def test_the_verb_exits_with_the_worst_finding(monkeypatch, capfd, level, code, verdict):
    host = socket.gethostname()
    found = [Finding("disk", level, f"on {host}", "buy a disk", (("host", host),))]
    monkeypatch.setattr(commands, "checks_of", lambda *_: [Check("disk", lambda: found)])
    assert app.command(["doctor"]) == code
    out = capfd.readouterr().out.splitlines()
    assert out[0].startswith("realtime_mood ")
    assert out[0].endswith("LSL scope loopback")
    assert out[-1] == verdict
    assert app.command(["doctor", "--json", "--lsl-scope", "link"]) == code
    (line,) = capfd.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["kind"], told["lsl_scope"], told["exit_code"]) == ("doctor", "link", code)
    assert told["findings"] == [
        {"check": "disk", "level": level.label, "found": f"on {host}", "do": "buy a disk"},
    ]  # fmt: skip
    assert app.command(["doctor", "--report"]) == code
    assert f"on {host}" not in capfd.readouterr().out


def test_the_text_is_in_the_language_of_the_user_and_what_programs_and_helpers_read_in_english(use_language):
    dead = Phrase("announced, but nothing arrives, from {n} of {all} streams: {streams}", n=1, all=2,
                  streams=[Phrase("{host} {offset:+z.3f} s", host="lab", offset=-0.0001), "b"])  # fmt: skip
    findings = [Finding("LSL streams", Level.WRONG, dead, Phrase("close that program")), *PLAIN]
    use_language("de")
    assert list(report.text(findings, "link"))[1:] == [
        "       FEHLER  LSL-Streams: angekündigt, aber es kommt nichts an, von 1 von 2 Streams: lab +0,000 s, b",
        "               → dieses Programm beenden",
        "      Warnung  Datenträger: 28 % used",
        "Fehler, die eine Messung oder eine Aufnahme verhindern: 1 · Warnungen: 1",
    ]
    english = "announced, but nothing arrives, from 1 of 2 streams: lab +0.000 s, b"
    assert report.as_object(findings, "link")["findings"][0] == {
        "check": "LSL streams", "level": "wrong", "found": english, "do": "close that program",
    }  # fmt: skip
    assert f"      WRONG  LSL streams: {english}\n             → close that program\n" in report.for_an_issue(
        findings, "link"
    )


def test_every_check_has_a_name_in_both_languages():
    assert {check.name for check in commands.checks_of("loopback")} <= CHECKS.keys()


def test_the_folder_that_the_configuration_records_to_is_tried_first(monkeypatch, tmp_path):
    tried = []
    monkeypatch.setattr(machine, "disk", lambda folder: tried.append(folder) or [])
    for record in (tmp_path, tmp_path / "a"):
        next(check for check in commands.checks_of("loopback", record) if check.name == "disk").look()
    assert tried[0] == tried[2] == tmp_path
    assert tried[1] == tried[3] != tmp_path


def test_two_forms_at_once_are_refused(capfd):
    assert app.command(["doctor", "--json", "--report"]) == 2
    assert "give one of them" in capfd.readouterr().err
