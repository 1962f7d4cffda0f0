"""Benchmarks, each with a lower bound or an alternative measured in the same run. No test depends on them."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as app.py does
