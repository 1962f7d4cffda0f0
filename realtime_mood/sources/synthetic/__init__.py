"""The synthetic headset: a virtual subject, the head and its artefacts."""
