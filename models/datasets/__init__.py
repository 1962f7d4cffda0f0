"""Turns recordings and virtual people into `Person`s: features by the second, labels, and where rest was."""
