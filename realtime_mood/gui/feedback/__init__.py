"""Widgets of a feedback session: the subject's screen, its displays and its sound."""
