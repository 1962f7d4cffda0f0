"""Signal processing from raw chunks to features; no threads, clocks, devices or torch."""
