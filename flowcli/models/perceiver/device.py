"""Choosing where and how precisely the network runs, and how much memory is free there."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...choices import Precision
from ...errors import UsageError
from .refusals import gpu_available

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)


def choose_device(name: str) -> torch.device:
    """The device of that name (``auto``, ``cpu``, ``cuda``, ``cuda:N``, ``mps``); raises ``UsageError``."""
    import torch

    if name == "auto":
        has_cuda, why_not = gpu_available()
        kind = "cuda" if has_cuda else "mps" if torch.backends.mps.is_available() else "cpu"
        if why_not is not None:
            _log.info("running on the %s although there is an NVIDIA GPU: %s", kind, why_not)
        return torch.device(kind)
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"`device` {name}: use auto, cpu, cuda, cuda:N or mps") from error
    if device.type not in {"cpu", "cuda", "mps"}:
        raise UsageError(f"`device` {name}: use auto, cpu, cuda, cuda:N or mps")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        _, why_not = gpu_available()
        reason = "" if why_not is None else f" ({why_not})"
        raise UsageError(f"`device` {name}: torch sees {torch.cuda.device_count()} CUDA devices{reason}; use cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError(f"`device` {name}: torch sees no Apple GPU; use cpu")
    return device


def choose_precision(name: Precision, device: torch.device) -> Precision:
    """Resolve ``auto`` and refuse what the device does not have; raises ``UsageError``."""
    has_tf32 = "tf32" in precisions(device)
    if name == "auto":
        return "tf32" if has_tf32 else "fp32"
    if name == "tf32" and not has_tf32:
        raise UsageError(f"`precision` tf32 needs an NVIDIA GPU of the Ampere generation or later; {device} has none")
    if name not in precisions(device):
        raise UsageError(f"`precision` {name} needs a GPU; use bf16 or fp32 on the CPU")
    return name


def precisions(device: torch.device) -> tuple[Precision, ...]:
    """The precisions that a device has, fp32 first."""
    import torch

    if device.type == "cpu":
        return ("fp32", "bf16")
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return ("fp32", "tf32", "bf16", "fp16")
    return ("fp32", "bf16", "fp16")


@contextlib.contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Run float32 matrix products and convolutions in tf32 on GPUs that have it, or else in full fp32."""
    import torch

    matmul, convolution = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, convolution.allow_tf32
    matmul.allow_tf32 = convolution.allow_tf32 = allowed
    try:
        yield
    finally:
        matmul.allow_tf32, convolution.allow_tf32 = before


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on ``device``."""
    import torch

    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    import psutil

    return min(psutil.virtual_memory().available, _free_in_control_group())


def _free_in_control_group() -> int:
    """What a container's memory limit leaves (control groups, version 2)."""
    group = Path("/sys/fs/cgroup")
    try:
        return int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):  # no control groups, or no limit ("max")
        return 1 << 62
