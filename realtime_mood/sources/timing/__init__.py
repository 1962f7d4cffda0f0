"""Sample clocks, counters, gaps and reconnection, for every live source."""
