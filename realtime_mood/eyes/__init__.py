"""Gaze and pupil from any tracker: which columns they are in, and their features for each window of the EEG."""
