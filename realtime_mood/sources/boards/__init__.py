"""Boards of BrainFlow as a source."""
