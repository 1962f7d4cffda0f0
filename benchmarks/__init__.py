"""Measurements that are repeated at a change of the program or of its weights, each with a bound or an alternative.

Studies that led to a decision are in the history; the page with their result names the commit.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as app.py does
