"""XDF recordings of this program: writing, reading, recovery and replay."""
