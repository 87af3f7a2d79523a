"""Videos for the tests, made with PyAV; every frame has a different picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame

from flowcli.arrays import Frame
from flowcli.scene import render_scene


def moving_frames(count: int, height: int = 64, width: int = 96) -> list[Frame]:
    """A texture that moves by (2, 1) pixels per frame, so that the flow is known."""
    texture = render_scene(max(32, height + count), max(32, width + 2 * count), seed=9).frame1
    return [
        np.ascontiguousarray(texture[count - i : count - i + height, 2 * (count - i) : 2 * (count - i) + width])
        for i in range(count)
    ]


def write_video(
    path: Path,
    frames: list[Frame],
    *,
    times: list[Fraction] | None = None,
    rate: int = 12,
    codec: str = "libx264",
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a nearly lossless video; ``times``, in seconds, give it a variable frame rate."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate, options={"crf": "8"} if codec == "libx264" else {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p" if codec == "libx264" else "yuv420p"
        time_base = Fraction(1, 600)
        stream.codec_context.time_base = time_base
        if rotation:
            stream.set_display_rotation(rotation)
        for index, image in enumerate(frames):
            frame = VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = round((times[index] if times else Fraction(index, rate)) / time_base)
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
