"""Composes flows: from frame to frame, and so on, to the flow between frames that are further apart."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Mask, check_same_size, known
from ..errors import UsageError
from .sampling import Vectors, look_up


def chain(flows: Iterable[Flow], masks: Iterable[Mask | None] | None = None) -> Flow:
    """Compose flows in order: each begins at the frame where the one before ends.

    A point moves by the first flow, then by the second one at the place where it has arrived, and so on. That place
    lies between pixels, so each further flow is bilinearly interpolated there.

    Args:
        flows: such as those from frame 0 to 1, from 1 to 2 and from 2 to 3, each ``(H, W, 2)`` float32 in pixels; NaN
            where unknown. They are taken one at a time, so an iterator needs no more memory than two of them.
        masks: for each flow where it holds, ``(H, W)`` bool, or ``None`` for everywhere. A flow is unknown elsewhere.

    Returns:
        The flow from the first frame to the last, ``(H, W, 2)`` float32 in pixels. It is NaN where one of the flows is
        unknown on the way, and where the way leaves the frame before the last flow; that one may end anywhere.

    Raises:
        UsageError: there is no flow.
        InputError: the flows and masks differ in size.
        ValueError: there are not as many masks as flows.
    """
    last = deque(prefixes(flows, masks), maxlen=1)
    if not last:
        raise UsageError("nothing to compose: `flows` is empty")
    return last[0]


def prefixes(flows: Iterable[Flow], masks: Iterable[Mask | None] | None = None) -> Iterator[Flow]:
    """Compose the first flow, the first two, the first three, and so on.

    Args:
        flows: as for :func:`chain`.
        masks: as for :func:`chain`.

    Yields:
        As many flows as are given, ``(H, W, 2)`` float32 in pixels; the last one is that of :func:`chain`.

    Raises:
        InputError: the flows and masks differ in size.
        ValueError: there are not as many masks as flows.
    """
    so_far: Vectors | None = None
    for number, (flow, mask) in enumerate(_links(flows, masks), 1):
        if mask is not None:
            check_same_size(f"flow {number}", flow.shape, "its mask", mask.shape)
        if so_far is None:
            so_far = _where(flow, mask)
        else:
            check_same_size("flow 1", so_far.shape, f"flow {number}", flow.shape)
            so_far = compose(so_far, flow, mask)
        yield so_far.astype(np.float32)


def compose(first: Vectors, second: Flow, mask: Mask | None = None) -> npt.NDArray[np.float64]:
    """Compose two flows: ``first(x) + second(x + first(x))``.

    Args:
        first: ``(H, W, 2)`` in pixels; NaN where unknown. A result of this function may be composed further.
        second: the flow from where ``first`` ends, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        mask: where ``second`` holds, ``(H, W)`` bool; ``None`` for everywhere.

    Returns:
        ``(H, W, 2)`` float64 in pixels, so that a long chain does not add up rounding errors. NaN where ``first`` is
        unknown or leads out of the frame, and where one of the pixels that ``second`` is interpolated from is unknown.
    """
    onward, inside = look_up(_where(second, mask), first)
    composed = np.add(first, onward, dtype=np.float64)
    composed[~(inside & known(composed))] = np.nan
    return composed


def _where(flow: Flow, mask: Mask | None) -> Flow:
    """The flow, unknown where one of its components is, and where the mask is false."""
    holds = known(flow) if mask is None else known(flow) & mask
    return np.where(holds[..., None], flow, np.float32(np.nan))


def _links(flows: Iterable[Flow], masks: Iterable[Mask | None] | None) -> Iterator[tuple[Flow, Mask | None]]:
    if masks is None:
        yield from ((flow, None) for flow in flows)
    else:
        yield from zip(flows, masks, strict=True)
