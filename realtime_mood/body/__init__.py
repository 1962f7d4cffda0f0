"""Measures of the body from the streams beside the EEG: heart, skin, respiration and movement, once a second."""
