"""Read a recording that MNE has opened: an ``mne.io.Raw`` in, a table of readings out.

python examples/mne_raw.py [FILE]
"""

import sys

import mne
import numpy as np

import realtime_mood as rm

if len(sys.argv) > 1:
    raw = mne.io.read_raw(sys.argv[1], verbose="ERROR")
else:  # twenty seconds of pink noise
    names, sfreq, n = ["Fp1", "Fp2", "C3", "C4", "P3", "P4", "O1", "O2"], 200.0, 4000
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((len(names), n)))
    noise = np.fft.irfft(spectrum / np.sqrt(np.arange(1, spectrum.shape[1] + 1)), n)
    info = mne.create_info(names, sfreq, "eeg")
    raw = mne.io.RawArray(10e-6 * noise / noise.std(), info, verbose="ERROR")

table = rm.read_raw(raw, readout="effort")
print(table)
print(table.to_data_frame().groupby("status")["quality"].describe())
for band in ("alpha", "beta"):
    print(band, rm.bandpower(raw.get_data("eeg", units="uV"), raw.info["sfreq"], band).round(1), "µV²")
