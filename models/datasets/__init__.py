"""Data sets: recordings and simulated subjects as `Person`s, with features, labels and rest by the second."""
