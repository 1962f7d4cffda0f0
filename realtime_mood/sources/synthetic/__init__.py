"""The synthetic headset: a simulated subject, the head model and artefacts."""
