"""Imports what the program imports, then forks a process for each request; started by `forking`."""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import select
import socket
import sys
import threading

IMPORTS = (
    "app", "jinja2", "matplotlib.backends.backend_svg", "realtime_mood.calibration.fit",
    "realtime_mood.calibration.headless", "realtime_mood.calibration.report", "realtime_mood.cli.feedback",
    "realtime_mood.cli.terminal", "realtime_mood.feedback.outputs", "realtime_mood.models.building",
    "realtime_mood.models.train", "realtime_mood.recording.recover", "realtime_mood.recording.replay",
    "realtime_mood.report.session", "realtime_mood.report.session_page", "realtime_mood.run.engine",
    "realtime_mood.sinks.osc", "realtime_mood.sinks.websocket", "realtime_mood.sources.faults",
    "realtime_mood.sources.playback", "realtime_mood.sources.synthetic",
    "torch._dynamo", "torch.nn.parallel",  # what optimisers import
)  # fmt: skip
"""Not pylsl, brainflow or Qt: they start threads, and those do not survive a fork."""


def serve(listener: socket.socket) -> None:
    """Fork for each request, and write how each process ended, until the last of those connected has gone."""
    running: dict[int, tuple[int, int]] = {}
    clients = [listener.accept()[0]]
    while clients or select.select([listener], [], [], 0)[0]:
        for ready in select.select([listener, *clients, *running], [], [])[0]:
            if ready is listener:
                clients.append(listener.accept()[0])
                continue
            if ready not in clients:
                pid, status = running.pop(ready)
                os.write(status, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                os.close(status)
                os.close(ready)
                continue
            request, descriptors, _, _ = socket.recv_fds(ready, 1 << 20, 3)
            if not request:
                clients.remove(ready)
                continue
            out, err, status = descriptors
            if not (pid := os.fork()):
                for one in (listener, *clients):
                    one.close()
                os.close(status)
                run(out, err, **json.loads(request))
                sys.exit()
            os.write(status, b"%d\n" % pid)
            os.close(out)
            os.close(err)  # by the end of which others notice that the process has ended
            running[os.pidfd_open(pid)] = pid, status


def run(
    out: int, err: int, code: str, words: list[str], env: dict[str, str], cwd: str, encoding: str, output: str,
    whole: bool,
) -> None:  # fmt: skip
    """Run `code` as ``python -c`` would; `whole`: with the destruction of every object at its end."""
    os.dup2(os.open(output, os.O_WRONLY) if output else out, 1)
    os.dup2(err, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.close(out)
    os.close(err)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.stdout, sys.stderr = (io.TextIOWrapper(open(number, "wb", closefd=False), encoding) for number in (1, 2))  # noqa: SIM115
    sys.argv = ["-c", *words]
    try:
        exec(code, {"__name__": "__main__"})
    except SystemExit as ended:
        if not whole:
            threading._shutdown()
            atexit._run_exitfuncs()
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            os._exit(ended.code or 0)
        raise


if __name__ == "__main__":
    for module in IMPORTS:
        importlib.import_module(module)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
