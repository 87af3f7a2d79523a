"""Compare flowcli's network with the stock module: seconds, memory, deviation, fraction of the machine's peak speed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from flowcli.models.perceiver.checkpoint import open_checkpoint
from flowcli.models.perceiver.weights import Sizes
from support.checkpoints import PUBLISHED_SIZES, draw_model, small_config

from . import startup
from .operations import remaining_operations, stock_operations
from .window import product_rate

QUICK_WINDOW = (104, 152)


def draw(folder: Path, window: tuple[int, int]) -> Path:
    """A random checkpoint of the published size, drawn so that float32 itself is precise on it."""
    draw_model(small_config(window, **PUBLISHED_SIZES), seed=0, gain=1.5, residual=0.5).save_pretrained(folder)
    return folder


def measure(name: str, checkpoint: Path, device: str, runs: int, flows: Path) -> dict[str, Any]:
    """One process of ``benchmarks.window``."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.window",
        name,
        str(checkpoint),
        "--device",
        device,
        "--runs",
        str(runs),
    ]
    done = subprocess.run([*command, "--save", str(flows / f"{name}.npy")], check=True, capture_output=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def compare(checkpoint: Path, device: str, rounds: int, runs: int, flows: Path) -> str:
    """The table of all implementations on one device: the best of ``runs`` runs each, taken in turns."""
    names = ["stock", "fp32", "bf16"] if device == "cpu" else ["stock", "fp32", "tf32", "bf16", "fp16"]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    peaks, rates = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for _ in range(rounds):
        for name in names:
            report = measure(name, checkpoint, device, runs, flows)
            seconds[name].append(min(report["seconds"]))
            peaks[name] = max(peaks[name], report["peak_bytes"])
            rates[name] = max(rates[name], report["product_rate"])
    sizes = Sizes.of(open_checkpoint("drawn", checkpoint, None))
    exact = np.load(flows / "stock.npy")
    lines = [
        f"| on {device} | seconds | times faster | peak memory | mean / largest deviation | Gflop | share of limit |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in names:
        operations = stock_operations(sizes) if name == "stock" else remaining_operations(sizes)
        share = operations / rates[name] / median(seconds[name])
        ratio = median(s / o for s, o in zip(seconds["stock"], seconds[name], strict=True))
        off = np.abs(np.load(flows / f"{name}.npy") - exact)
        label = "stock fp32" if name == "stock" else f"flowcli {name}"
        deviation = "-" if name == "stock" else f"{off.mean():.2g} / {off.max():.2g} px"
        lines.append(
            f"| {label} | {median(seconds[name]):.2f} | {ratio:.1f} | {peaks[name] / 1e9:.2f} GB | {deviation} "
            f"| {operations / 1e9:.0f} | {share:.0%} |"
        )
    lines.append("")
    lines.append(f"Spread of the stock flow: {exact.std():.1f} px.")
    return "\n".join(lines)


def hardware() -> str:
    """This machine and the relevant versions."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        named = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        model = named[1] if named else model
    rates = [f"{product_rate(precision, 'cpu') / 1e9:.0f}" for precision in ("fp32", "bf16")]
    lines = [
        f"- {model}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}; "
        f"matrix products {rates[0]} Gflop/s in float32, {rates[1]} in bfloat16",
        f"- Python {platform.python_version()}, torch {version('torch')}, transformers {version('transformers')}",
    ]
    if torch.cuda.is_available():
        lines.append(f"- {torch.cuda.get_device_name()}, CUDA {torch.version.cuda}")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark and print its tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small window, one round: under two minutes")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured, in turn")
    parser.add_argument("--checkpoint", type=Path, help="measure on this checkpoint instead of a random one")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        window = QUICK_WINDOW if options.quick else (368, 496)
        checkpoint = options.checkpoint or draw(scratch / "checkpoint", window)
        sys.stdout.write(f"{hardware()}\n\n")
        for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
            sys.stdout.write(compare(checkpoint, device, rounds, 1 if options.quick else 2, scratch) + "\n\n")
            sys.stdout.flush()
        stock, ours = startup.measure(checkpoint, scratch, 1 if options.quick else 3)
        sys.stdout.write(
            f"Start-up (imports and loading): stock {stock:.2f} s, "
            f"`flowcli estimate` {ours:.2f} s, which is {ours / stock:.0%}\n"
        )


if __name__ == "__main__":
    main()
