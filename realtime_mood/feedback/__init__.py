"""Neurofeedback: fast measures of the signal, reward rules, blinded conditions, and sessions."""
