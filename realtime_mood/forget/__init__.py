"""Removes the data of a participant, or data older than a retention period, from folders and BIDS data sets."""
