"""Measures how well a readout does on people nobody was trained on: splits, baselines, figures, controls, report."""
