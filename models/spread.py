"""Distributed training over the processes of `accelerate launch`, or in a single process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import Accelerator, InitProcessGroupKwargs

PREPARING = timedelta(hours=6)  # how long other processes wait for the one that prepares the data
LETTING_GO_S = 0.5


@contextmanager
def shared() -> Iterator[Accelerator]:
    """What says which share is whose."""
    cpu = not torch.cuda.is_available()  # said, because that is when processes find each other without a device
    accelerator = Accelerator(cpu=cpu, kwargs_handlers=[InitProcessGroupKwargs(timeout=PREPARING)])
    yield accelerator
    if accelerator.num_processes > 1:
        # A thread of gloo needs the interpreter's lock to let go of the last tensors it passed on. Does it get there
        # while this thread is ending the group, both wait for ever; while the interpreter ends, the process aborts.
        time.sleep(LETTING_GO_S)
    accelerator.end_training()  # not after an error: the others may be waiting for this one
