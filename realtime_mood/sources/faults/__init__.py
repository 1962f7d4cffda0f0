"""Scripted faults: simulates a failing headset on a clean stream, for rehearsal and tests."""

from .script import FAULTS, FaultScript, ScriptedFault

__all__ = ["FAULTS", "FaultScript", "ScriptedFault"]
