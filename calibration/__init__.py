"""Calibration: guided sessions, and the profiles that are fitted to their recordings."""
