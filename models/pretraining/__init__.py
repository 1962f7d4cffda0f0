"""The parts of masked brain-signal modelling: the objective, what it is fed, and what is kept on disk."""
