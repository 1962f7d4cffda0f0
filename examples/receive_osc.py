"""Receive the readings of `run --osc 127.0.0.1:9000` with python-osc: python receive_osc.py [PORT [SECONDS]]."""

import json
import sys
import threading
import time

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1e9


def show(address: str, *values: object) -> None:
    print(json.dumps({"address": address, "value": values[0], "received": time.monotonic()}), flush=True)


dispatcher = Dispatcher()
dispatcher.map("/realtime_mood/*", show)
server = BlockingOSCUDPServer(("127.0.0.1", port), dispatcher)
print(json.dumps({"listening": port}), flush=True)
if seconds < 1e9:
    threading.Timer(seconds, server.shutdown).start()
server.serve_forever()
