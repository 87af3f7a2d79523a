"""Packs pictures for a page: without loss where there is room, else as JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2

from ..arrays import Frame, size_of
from ..frames.opencv import encode_image

_QUALITIES = (95, 90, 85, 75, 60)
_LEAST_SAVING = 4  # a photograph without loss takes about this many times less than its pixels, or a third less


@dataclass(frozen=True)
class PackedPicture:
    """A picture, ready for a page."""

    data: bytes
    """The bytes of the file."""

    type: str
    """Its media type."""

    quality: int | None
    """JPEG's quality, 1..100; ``None`` if nothing was lost."""

    def header(self) -> dict[str, Any]:
        """What the page has to know, the data included."""
        return {"type": self.type, "blob": self.data}


def pack_picture(picture: Frame, budget: int) -> PackedPicture:
    """Pack a picture in the best quality that fits into a budget.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB.
        budget: bytes that the packed picture may have. Where even the lowest quality takes more, it has that.

    Returns:
        The packed picture.
    """
    height, width = size_of(picture)
    if height * width * 3 <= _LEAST_SAVING * budget:
        data = encode_image(picture)
        if len(data) <= budget:
            return PackedPicture(data, "image/png", None)
    for quality in _QUALITIES:
        data = encode_jpeg(picture, quality)
        if len(data) <= budget:
            break
    return PackedPicture(data, "image/jpeg", quality)


def encode_jpeg(picture: Frame, quality: int) -> bytes:
    """Encode an ``(H, W, 3)`` uint8 RGB picture as a JPEG of a quality of 1..100."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    assert done  # of sides up to JPEG's limit
    return encoded.tobytes()
