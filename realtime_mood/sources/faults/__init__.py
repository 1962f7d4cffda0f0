"""Turns a well-behaved stream into a headset that goes wrong on a script, to rehearse and to test with."""

from .script import FAULTS, FaultScript, ScriptedFault

__all__ = ["FAULTS", "FaultScript", "ScriptedFault"]
