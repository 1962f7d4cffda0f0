"""EEG boards through the BrainFlow library."""
