"""Training over the processes of ``accelerate launch``, or in a single process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import Accelerator, InitProcessGroupKwargs

PREPARING = timedelta(hours=6)  # how long other processes wait for the one that prepares the data
RELEASE_S = 0.5


@contextmanager
def shared() -> Iterator[Accelerator]:
    """The accelerator of this process."""
    cpu = not torch.cuda.is_available()  # explicit, because processes without a device do not find each other otherwise
    accelerator = Accelerator(cpu=cpu, kwargs_handlers=[InitProcessGroupKwargs(timeout=PREPARING)])
    yield accelerator
    if accelerator.num_processes > 1:
        # A thread of gloo needs the interpreter's lock to release the last tensors. If it does so while this thread
        # ends the group, both wait forever; if while the interpreter ends, the process aborts.
        time.sleep(RELEASE_S)
    accelerator.end_training()  # not after an error: the others may be waiting for this one
