"""Words for electrode faults, reasons for no estimate, references and measures of the body, for screens and reports.

The keys are the values of `types.Fault`, `types.Why`, `dsp.reference.Reference` and the names and reasons of
`body.measure`, which recordings and streams hold too. A word is translated where it is shown: ``_(FAULTS["flat"])``.
"""

from __future__ import annotations

from . import N_

SIMULATED = N_("SIMULATED")  # badge of whatever comes from a simulated subject
FAULTS = {
    "flat": N_("flat"),
    "railed": N_("out of range"),
    "line": N_("mains hum"),
    "muscle": N_("muscle"),
    "decorrelated": N_("uncorrelated with its neighbours"),
    "impedance": N_("poor contact"),
    "excluded": N_("excluded"),
}
REFERENCES = {
    "recorded": N_("recorded"),
    "average": N_("average"),
    "ears": N_("ears"),
    "bipolar": N_("bipolar"),
    "laplacian": N_("Laplacian"),
}
REASONS = {
    "settling": N_("settling"),
    "stale": N_("no data"),
    "gap": N_("samples lost"),
    "bad_signal": N_("poor signal"),
    "muscle": N_("muscle activity"),
    "blinks": N_("rapid blinking"),
    "movement": N_("movement"),
    "uncalibrated": N_("not calibrated"),
    "unsure": N_("unsure"),
    "montage": N_("too few electrodes"),
    "unfamiliar": N_("unfamiliar signal"),
}
BODY = {
    "heart_rate": N_("heart rate"),
    "rmssd": N_("HRV (RMSSD)"),
    "skin_conductance": N_("skin conductance"),
    "skin_responses": N_("skin responses"),
    "respiration_rate": N_("respiration"),
    "movement": N_("movement"),
}
BODY_REASONS = {
    "no signal": N_("no signal"),
    "settling": N_("settling"),
    "noisy": N_("noisy"),
    "flat": N_("flat"),
    "out of range": N_("out of range"),
    "unknown unit": N_("unknown unit"),
    "unsuitable rate": N_("unsuitable rate"),
}
