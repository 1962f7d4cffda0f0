"""Scripted faults: simulates a failing headset on a clean stream, for rehearsal and tests."""
