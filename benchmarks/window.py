"""Measure one implementation on one window, in a separate process, so that its peak memory is not mixed with others.

Prints one JSON object: seconds of each run, peak resident memory, and where the flow was saved.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from flowcli.arrays import Flow, Frame
from flowcli.models.perceiver.memory import resident_peak
from flowcli.scene import render_scene


def stock(folder: Path, device: str) -> tuple[tuple[int, int], Callable[[Frame, Frame], Flow]]:
    """``PerceiverForOpticalFlow`` in float32 as its authors use it."""
    from flowcli.models.perceiver.checkpoint import open_checkpoint
    from flowcli.models.perceiver.device import choose_device
    from flowcli.models.perceiver.stock import StockFlow

    checkpoint = open_checkpoint(str(folder), folder, None)
    return checkpoint.window, StockFlow(checkpoint, choose_device(device))


def ours(folder: Path, device: str, precision: str) -> tuple[tuple[int, int], Callable[[Frame, Frame], Flow]]:
    """flowcli's network."""
    from flowcli import load_estimator

    estimator = load_estimator(str(folder), device=device, precision=precision)  # type: ignore[arg-type]
    assert estimator.model.window is not None
    return estimator.model.window, estimator.estimate


def peak_memory() -> int:
    """The peak memory of this process in bytes."""
    peak = resident_peak()  # on Linux, where getrusage begins with what the parent process held
    if peak is not None:
        return peak
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def product_rate(precision: str, device: str) -> float:
    """The best of several measurements of this machine's matrix products in a precision, in operations per second."""
    import torch

    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    a, b = (torch.randn(2048, 2048, device=device).to(dtype) for _ in range(2))
    best = 0.0
    for _ in range(8):
        started = time.perf_counter()
        result = a @ b
        float(result[0, 0])  # waits for a GPU
        best = max(best, 2 * 2048**3 / (time.perf_counter() - started))
    return best


def main() -> None:
    """Run the measurement that the arguments select."""
    parser = argparse.ArgumentParser()
    parser.add_argument("implementation", choices=["stock", "fp32", "tf32", "bf16", "fp16"])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    if options.implementation == "stock":
        (height, width), run = stock(options.checkpoint, options.device)
    else:
        (height, width), run = ours(options.checkpoint, options.device, options.implementation)
    scene = render_scene(height, width)
    seconds = []
    for _ in range(options.runs):
        started = time.perf_counter()
        flow = run(scene.frame1, scene.frame2)
        seconds.append(time.perf_counter() - started)
    if options.save:
        np.save(options.save, flow)
    report: dict[str, object] = {"seconds": seconds, "peak_bytes": peak_memory()}
    report["product_rate"] = product_rate(options.implementation, options.device)
    if options.device.startswith("cuda"):
        import torch

        report["peak_device_bytes"] = torch.cuda.max_memory_allocated()
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
