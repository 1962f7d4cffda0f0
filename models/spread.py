"""Turns however many processes `accelerate launch` has started, or just this one, into sharers of one training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch

# Before there is a group of processes: some functions in it have the group of the moment as a default, for ever, and
# the group's threads would then live on into the interpreter's end, where they now and then crash it.
import torch.distributed.nn
from accelerate import Accelerator, InitProcessGroupKwargs

PREPARING = timedelta(hours=6)  # how long other processes wait for the one that prepares the data


@contextmanager
def shared() -> Iterator[Accelerator]:
    """What says which share is whose; once all is done, nothing of the others is left in this process."""
    cpu = not torch.cuda.is_available()  # said, because that is when processes find each other without a device
    accelerator = Accelerator(cpu=cpu, kwargs_handlers=[InitProcessGroupKwargs(timeout=PREPARING)])
    yield accelerator
    accelerator.end_training()  # not after an error: the others may be waiting for this one
