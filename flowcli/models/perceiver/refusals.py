"""What a device refuses, as errors that say the cause and the remedy; and why there is no GPU although one is there."""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from ...errors import DeviceError
from .. import OutOfMemoryError

_OF_MEMORY = re.compile(r"out of memory|ALLOC_FAILED|can't allocate memory", re.IGNORECASE)
_OF_A_DEVICE = re.compile(r"CUDA|CUBLAS|CUDNN|CUFFT|NVIDIA|MPS backend|HIP error", re.IGNORECASE)
_OLD_DRIVER = r"driver version is insufficient|driver on your system is too old|no NVIDIA driver"
_CAUSES = (
    (
        re.compile("no kernel image", re.IGNORECASE),
        "this PyTorch has no code for that GPU",
        "install a PyTorch that is built for it, see https://pytorch.org; or set `device` to cpu",
    ),
    (
        re.compile(_OLD_DRIVER, re.IGNORECASE),
        "the NVIDIA driver is missing, or too old for this PyTorch",
        "update the driver, or set `device` to cpu",
    ),
)
_REMEDY = "see nvidia-smi and the log of the system, then start again: what is finished is kept; or set `device` to cpu"

_DRIVER = Path("/proc/driver/nvidia/gpus")
_WINDOWS_SUBSYSTEM = Path("/usr/lib/wsl/lib/nvidia-smi")
_BUS = Path("/sys/bus/pci/devices")
_NVIDIA, _DISPLAY = "0x10de", "0x03"  # the PCI vendor, and how the class of GPUs begins


@contextlib.contextmanager
def refusals(device: object) -> Iterator[None]:
    """Raise what a device refuses within the block as errors for users.

    Args:
        device: the name of the device, for messages.

    Raises:
        OutOfMemoryError: its memory does not suffice.
        DeviceError: it fails for another reason; torch says so as a ``RuntimeError``.
    """
    try:
        yield
    except RuntimeError as error:
        import torch

        text = str(error)
        if isinstance(error, torch.OutOfMemoryError) or _OF_MEMORY.search(text):
            raise OutOfMemoryError(text) from error
        if not isinstance(error, torch.AcceleratorError) and not _OF_A_DEVICE.search(text):
            raise  # not of the device
        raise DeviceError(f"{device} failed: {_explained(text)}") from error


def _explained(text: str) -> str:
    """The cause and the remedy."""
    for pattern, cause, remedy in _CAUSES:
        if pattern.search(text):
            return f"{cause}; {remedy}"
    return f"{_first_line(text)}; {_REMEDY}"


def _first_line(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "no reason given")
    return line.removeprefix("CUDA error: ").strip().rstrip(".;")


def gpu_available() -> tuple[bool, str | None]:
    """Whether torch can use CUDA; and if it cannot although there is an NVIDIA GPU, why not.

    A GPU that ``CUDA_VISIBLE_DEVICES`` hides is not there.
    """
    import torch

    with warnings.catch_warnings(record=True) as remarks:  # torch warns of old drivers
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return True, None
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in {"", "-1"} or not _has_nvidia_gpu():
        return False, None
    if torch.version.cuda is None:
        return False, "this PyTorch is built without CUDA; see https://pytorch.org for one that has it"
    said = [str(remark.message) for remark in remarks] or [_refusal_of_cuda()]
    return False, next((_explained(text) for text in said if text), "torch does not say why")


def _refusal_of_cuda() -> str:
    """What torch says when CUDA is asked for."""
    import torch

    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return str(error)
    return ""


def _has_nvidia_gpu() -> bool:
    """Whether the system knows of an NVIDIA GPU, with or without a driver; only Linux is asked."""
    try:
        if (_DRIVER.is_dir() and any(_DRIVER.iterdir())) or _WINDOWS_SUBSYSTEM.exists():
            return True
        return any(
            (card / "vendor").read_text().strip() == _NVIDIA and (card / "class").read_text().startswith(_DISPLAY)
            for card in (_BUS.iterdir() if _BUS.is_dir() else ())
        )
    except OSError:
        return False
