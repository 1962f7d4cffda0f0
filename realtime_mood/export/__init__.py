"""Recordings in the formats of other programs: BIDS, EDF, FIF, and tables of readings. See `export_recordings`."""
