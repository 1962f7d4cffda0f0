"""Our XDF recordings: written, read back, recovered and replayed."""
