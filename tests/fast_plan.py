"""A feedback session that is soon over, as the TOML file of its plan."""

FAST_PLAN = """
name = "fast"
title = "Fast"
about = "a"
consent = "You agree to this"
debrief = "This was it"
measures = [{kind = "band", electrodes = ["O1", "O2"]}]
blocks = [{kind = "baseline", seconds = 14}, {kind = "feedback", seconds = 2}]
"""
