"""Receive the readings of `run --ws 8765` with websockets, and the measures of the body between them (kind `body`).

Called as python receive_ws.py [PORT [SECONDS]].
"""

import json
import sys
import time

from websockets.sync.client import connect

port = sys.argv[1] if len(sys.argv) > 1 else "8765"
until = time.monotonic() + float(sys.argv[2] if len(sys.argv) > 2 else 1e9)

while time.monotonic() < until:
    try:
        with connect(f"ws://127.0.0.1:{port}/readings") as socket:
            while time.monotonic() < until:
                reading = json.loads(socket.recv(timeout=10))
                print(json.dumps(reading | {"received": time.monotonic()}), flush=True)
    except OSError:
        time.sleep(0.1)  # the program has not started yet
