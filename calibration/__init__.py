"""Turns a person's minutes before a run into a profile."""
