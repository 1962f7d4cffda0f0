"""Turns signal into what is fed back to a person: fast measures, rules of reward, blinded conditions, sessions."""
