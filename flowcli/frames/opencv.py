"""Decodes and encodes image files through OpenCV, quietly."""

from __future__ import annotations

import re

import cv2
import numpy as np

from ..arrays import Frame
from ..errors import InputError
from .chatter import captured_stderr
from .levels import Values
from .png import SIGNATURE, end_of_png

_PNM_HEADER = re.compile(rb"P[2356](?:\s|#[^\n]*\n)+\d+(?:\s|#[^\n]*\n)+\d+(?:\s|#[^\n]*\n)+(\d+)")
_PAM_HEADER = re.compile(rb"P7\n(?:[^\n]{0,80}\n){0,20}?ENDHDR\n")
_PAM_FIELD = re.compile(rb"^(WIDTH|HEIGHT|DEPTH|MAXVAL)\s+(\d{1,9})\s*$", re.MULTILINE)
_PAM_RANGE = re.compile(rb"P7\n(?:[^\n]{0,80}\n){0,20}?MAXVAL\s+(\d+)")
_PAM_MAGIC = b"P7"

_CHATTER = re.compile(
    rb"libpng (?:error|warning)|Corrupt JPEG data|Premature end of JPEG|Inconsistent progression sequence|"
    rb"Invalid SOS parameters|Unknown Adobe color transform|Warning: unknown JFIF revision|"
    rb"Caution: quantization tables|Application transferred too many scanlines"
)
"""What libpng and libjpeg (its table of messages in jerror.h) print about a file."""

_DAMAGE = re.compile(r"Premature end of JPEG|Corrupt JPEG data: (?!\d+ extraneous bytes before marker)")
"""What libjpeg says of damage; not of bytes that some cameras write although their pictures are complete."""


def decode_frame(data: bytes, name: object, *, as_stored: bool) -> Values:
    """Decode an image as RGB; EXIF orientation is applied and alpha is dropped.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        as_stored: whether values of more than 8 bits are kept, rather than scaled to 8.

    Returns:
        ``(H, W, 3)`` uint8; if ``as_stored``, ``(H, W)`` or ``(H, W, 3)`` in the type of the stored values.

    Raises:
        InputError: it is damaged, too large, or not an image.
    """
    fault = _fault(data, as_stored)
    if fault:
        raise InputError(f"cannot read {name}: {fault}")
    if data.startswith(_PAM_MAGIC):
        return _decode_pam(data, name, as_stored)
    if not as_stored:
        return decode_image(data, cv2.IMREAD_COLOR_RGB, name)
    values = decode_image(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH, name)
    is_grey = all(np.array_equal(values[..., 0], values[..., channel]) for channel in (1, 2))
    return values[..., 0] if is_grey else values


def _decode_pam(data: bytes, name: object, as_stored: bool) -> Values:
    """A PAM file (netpbm's pam(5)); OpenCV mixes up its channels and its bits.

    Alpha, which comes last, is dropped.
    """
    damaged = InputError(f"cannot read {name}: it is truncated, or its header is damaged")
    header = _PAM_HEADER.match(data)
    fields = dict(_PAM_FIELD.findall(header[0])) if header else {}
    if header is None or len(fields) < 4:
        raise damaged
    width, height, depth, most = (int(fields[key]) for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    dtype = np.dtype(np.uint8 if most < 256 else ">u2")
    count = width * height * depth
    if len(data) - header.end() < count * dtype.itemsize or not 0 < most < 65536 or not 1 <= depth <= 4 or not count:
        raise damaged
    values: Values = np.frombuffer(data, dtype, count, header.end()).reshape(height, width, depth)
    values = values[..., :3] if depth >= 3 else values[..., 0]
    if as_stored:
        return values.astype(dtype.newbyteorder("="))
    scaled = values >> 8 if most == 65535 else values * np.uint8(255 // most)
    return np.asarray(scaled, np.uint8)


def decode_image(data: bytes, flags: int, name: object) -> Values:
    """Decode an image file with OpenCV.

    Args:
        data: the bytes of the file.
        flags: OpenCV's ``IMREAD`` flags; they determine the shape and type of the result.
        name: what errors call the file.

    Returns:
        The pixels as OpenCV returns them: ``(H, W)`` or ``(H, W, C)``, in BGR order unless the flags ask for RGB.

    Raises:
        InputError: the image is damaged, too large, or in a format that OpenCV does not read.
    """
    # OpenCV would log to stderr, where flowcli promises a single line of its own.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        with captured_stderr(_CHATTER.match) as complaints:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in error.err:
            cause = "it has more pixels than OpenCV's limit; raise `max_pixels`, or OPENCV_IO_MAX_IMAGE_PIXELS"
            raise InputError(f"cannot read {name}: {cause}") from error
        raise InputError(f"cannot read {name}: {error.err}") from error
    if image is None:
        raise InputError(f"cannot read {name}: it is truncated, or not an image in a format that OpenCV reads")
    if any(map(_DAMAGE.match, complaints)):
        raise InputError(f"cannot read {name}: the image data is damaged")
    return image


def _fault(data: bytes, as_stored: bool) -> str | None:
    """Damage in an image file that OpenCV would miss, or would only print to stderr; ``None`` if there is none."""
    if data.startswith(SIGNATURE) and end_of_png(data) is None:
        return "the PNG file is truncated or damaged"
    header = _PNM_HEADER.match(data) or _PAM_RANGE.match(data)
    natural = {1, 255, 65535} if data.startswith(_PAM_MAGIC) else {255, 65535}
    if header and not as_stored and int(header[1]) not in natural:  # OpenCV does not rescale the values
        return f"its largest value is {int(header[1])}; give `levels` 0:{int(header[1])}"
    return None


def encode_image(image: Frame, suffix: str = ".png") -> bytes:
    """Encode an ``(H, W, 3)`` uint8 RGB image as a file with the given suffix.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: OpenCV cannot encode it.
    """
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"OpenCV cannot encode {suffix}")
    return encoded.tobytes()
