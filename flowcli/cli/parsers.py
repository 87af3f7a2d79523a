"""Parses the values of options; each parser raises ``typer.BadParameter`` for what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Literal

import typer

from ..errors import UsageError


def batch_size(text: str) -> int | Literal["auto"]:
    """Windows per forward pass: ``auto`` or a number, at least 1."""
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is neither auto nor a positive whole number")
    return int(text)


def workers(text: str) -> int | Literal["auto"]:
    """How many work at the same time: ``auto`` or a number, at least 1."""
    return batch_size(text)


def max_flow(text: str) -> float | Literal["auto"]:
    """A colour scale: ``auto`` or pixels."""
    if text == "auto":
        return "auto"
    try:
        value = float(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither auto nor a number of pixels") from error
    if not 1e-3 <= value <= 1e6:
        raise typer.BadParameter(f"{value} is not between 0.001 and 1000000 pixels")
    return value


def position(text: str) -> int | Fraction:
    """A position in a video: a frame number, or a time such as ``12.5s``."""
    from ..frames.selection import parse_position

    try:
        return parse_position(text)
    except UsageError as error:
        raise typer.BadParameter(error.message) from error


def frame_rate(text: str) -> Fraction:
    """Parse frames per second, such as ``25`` or ``30000/1001``.

    Raises:
        typer.BadParameter: it is not a number above 0 and at most 1000.
    """
    try:
        rate = Fraction(text).limit_denominator(100_000)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise typer.BadParameter(f"{text!r} is not a frame rate up to 1000, such as 25 or 30000/1001")
    return rate


def levels(text: str) -> tuple[float, float] | Literal["auto"]:
    """The levels of frames: ``auto`` or ``LOW:HIGH``."""
    if text == "auto":
        return "auto"
    try:
        low, high = map(float, text.split(":"))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither auto nor LOW:HIGH, such as 0:4095") from error
    if not -math.inf < low < high < math.inf:
        raise typer.BadParameter(f"{text!r}: LOW must be less than HIGH")
    return low, high


def dataset(text: str) -> str:
    """The name of a data set."""
    from ..datasets import check_dataset

    return _checked(check_dataset, text)


def figures(text: str) -> str:
    """The name of a set of authors' figures."""
    from ..figures import check_figures

    return _checked(check_figures, text)


def _checked(check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except UsageError as error:
        raise typer.BadParameter(error.message) from error


def gaps(text: str) -> tuple[int, ...] | Literal["all"]:
    """The gaps of a sequence: ``all``, or numbers such as ``1,-1,3``."""
    if text == "all":
        return "all"
    if not re.fullmatch(r"[+-]?\d{1,6}(,[+-]?\d{1,6})*", text):
        raise typer.BadParameter(f"{text!r} is neither all nor whole numbers such as 1,-1,3")
    return tuple(map(int, text.split(",")))
