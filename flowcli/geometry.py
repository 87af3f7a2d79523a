"""Resizing frames and flows."""

from __future__ import annotations

import cv2
import numpy as np

from .arrays import Flow, Frame


def resize_frame(frame: Frame, height: int, width: int) -> Frame:
    """Resize ``(H, W, 3)`` uint8 to ``(height, width, 3)``: area averages to shrink, cubic interpolation to enlarge."""
    if frame.shape[:2] == (height, width):
        return frame
    shrinking = height * width < frame.shape[0] * frame.shape[1]
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, (width, height), interpolation=interpolation), np.uint8)


def resize_flow(flow: Flow, height: int, width: int) -> Flow:
    """Resize an ``(H, W, 2)`` flow to ``(height, width, 2)`` and scale its vectors to pixels of the new size."""
    old_height, old_width = flow.shape[:2]
    if (old_height, old_width) == (height, width):
        return flow
    resized = np.asarray(cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    resized *= np.array([width / old_width, height / old_height], np.float32)
    return resized
