"""Turns raw chunks into features; no threads, clocks, devices or torch."""
