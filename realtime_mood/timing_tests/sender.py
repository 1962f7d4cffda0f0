"""The other process of the marker test: sends numbered markers that say when they were sent.

Arguments: name, source_id, number of markers, scope of LSL or ``-``. It sends once a receiver is there, prints ``sent``
after the last one, or why it sent none, and ends with its standard input.
"""

from __future__ import annotations

import random
import sys
import time

from realtime_mood import liblsl

LEAST_S, MOST_S = 0.02, 0.08  # between two markers (s); irregular, so that no period of a receiver hides anything
RECEIVER_S = 20.0
SETTLE_S = 1.5  # at the first marker a receiver measures our clock, and holds back what arrives meanwhile (s)


def main(name: str, source_id: str, n: int, scope: str) -> None:
    """Send `n` markers."""
    liblsl.set_scope(None if scope == "-" else scope)
    pylsl = liblsl.pylsl()
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, 0.0, pylsl.cf_string, source_id))
    if outlet.wait_for_consumers(RECEIVER_S):
        outlet.push_sample(["begin"])
        time.sleep(SETTLE_S)
        draw = random.Random(n)
        for k in range(n):
            sent = pylsl.local_clock()
            outlet.push_sample([f"{k} {sent!r}"], sent)
            time.sleep(draw.uniform(LEAST_S, MOST_S))
        print("sent", flush=True)
    else:
        print(f"no receiver within {RECEIVER_S:g} s", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
