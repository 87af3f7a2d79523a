"""The overhead of a command, imports and loading, compared with that of the stock module."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from flowcli.frames.images import write_image
from flowcli.scene import render_scene

STOCK = """
from transformers import PerceiverForOpticalFlow
import sys
PerceiverForOpticalFlow.from_pretrained(sys.argv[1])
"""


def measure(checkpoint: Path, folder: Path, rounds: int) -> tuple[float, float]:
    """Median seconds of the stock start-up, and of ``flowcli estimate`` minus the time it reports."""
    scene = render_scene(64, 64)
    write_image(folder / "a.png", scene.frame1)
    write_image(folder / "b.png", scene.frame2)
    stock, ours = [], []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", STOCK, str(checkpoint)], check=True, capture_output=True)
        stock.append(time.perf_counter() - started)
        command = [sys.executable, "-m", "flowcli", "estimate", str(folder / "a.png"), str(folder / "b.png")]
        started = time.perf_counter()
        done = subprocess.run(
            [*command, "-o", str(folder / "x.flo"), "--force", "-m", str(checkpoint), "--json"],
            check=True,
            capture_output=True,
        )
        ours.append(time.perf_counter() - started - json.loads(done.stdout)["seconds"])
    # The first round warms the disk's cache.
    return median(stock[1:]), median(ours[1:])
