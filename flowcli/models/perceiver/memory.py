"""The most memory that something takes, where the system can say."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_STATUS = Path("/proc/self/status")
_REFERENCES = Path("/proc/self/clear_refs")
_FORGET_THE_PEAK = "5"  # proc(5): resets the peak of resident memory to what is resident now


class PeakMemory:
    """The peak of memory since this object was made.

    On a CUDA GPU it is that of the tensors there. On a CPU it is the resident memory of the whole process, Python and
    libraries included; only Linux can count that anew. Elsewhere it is unknown.

    Args:
        device: the device whose memory counts.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._is_known = False
        if device.type == "cuda":
            import torch

            torch.cuda.init()  # type: ignore[no-untyped-call]  # before that there is nothing to reset
            torch.cuda.reset_peak_memory_stats(device)
            self._is_known = True
        elif device.type == "cpu":
            with contextlib.suppress(OSError):
                _REFERENCES.write_text(_FORGET_THE_PEAK)
                self._is_known = True

    def bytes(self) -> int | None:
        """The peak so far in bytes; ``None`` where it is unknown."""
        if not self._is_known:
            return None
        if self._device.type == "cuda":
            import torch

            return torch.cuda.max_memory_allocated(self._device)
        return resident_peak()


def resident_peak() -> int | None:
    """The peak of this process's resident memory in bytes; ``None`` where the system is not Linux."""
    try:
        return int(_STATUS.read_text().split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):  # some sandboxes lack the line
        return None
