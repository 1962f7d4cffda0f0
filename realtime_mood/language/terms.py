"""Words for electrode faults, reasons for no estimate and references, shared by the window, terminal and reports.

The keys are the values of `types.Fault`, `types.Why` and `dsp.reference.Reference`, which recordings and streams hold
too. A word is translated where it is shown: ``_(FAULTS["flat"])``.
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
    "uncalibrated": N_("not calibrated"),
    "unsure": N_("unsure"),
    "montage": N_("too few electrodes"),
    "unfamiliar": N_("unfamiliar signal"),
}
