"""Evaluation on held-out subjects: splits, baselines, measures, controls and report."""
