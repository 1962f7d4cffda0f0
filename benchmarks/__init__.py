"""Figures of this machine, each beside a floor or a rival measured in the same run. No test depends on them."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as app.py does
