"""The usual error metrics of optical flow, over the pixels whose true flow is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Flow, Mask, known
from ..results import Figures, FlowStatistics

_BLOCK = 1 << 14  # vectors: what is computed of so many stays in the processor's cache
_OUTLIER_PIXELS = (1, 3, 5)
_FL_PIXELS, _FL_SHARE = 3.0, 0.05
_SPEEDS = {"s0_10": (0.0, 10.0), "s10_40": (10.0, 40.0), "s40": (40.0, np.inf)}


def flow_statistics(flow: Flow) -> FlowStatistics:
    """Compute statistics of a flow.

    Args:
        flow: ``(H, W, 2)`` float32 in pixels; NaN, where unknown, is left out.

    Returns:
        The minimum, mean and maximum of u, v and the length, in pixels, and the fraction of known pixels.
    """
    vectors = flow.reshape(-1, 2)
    count, sums = 0, np.zeros(3)
    least, most = np.full(3, np.inf), np.full(3, -np.inf)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        is_known = known(block)
        if not is_known.all():
            block = block[is_known]
        if block.size:
            u, v = block.T.astype(np.float64, order="C")
            values = u, v, np.sqrt(u * u + v * v)  # of float32: the squares cannot overflow
            least = np.minimum(least, [each.min() for each in values])
            most = np.maximum(most, [each.max() for each in values])
            sums += [each.sum() for each in values]
            count += len(block)
    found: dict[str, float | None] = {}
    for index, name in enumerate(("u", "v", "length")):
        for statistic, value in (("min", least), ("mean", sums / max(count, 1)), ("max", most)):
            found[f"{name}_{statistic}"] = float(value[index]) if count else None
    return FlowStatistics(known=count / max(len(vectors), 1), **found)


def endpoint_error(flow: Flow, truth: Flow) -> npt.NDArray[np.float32]:
    """Compute the end-point error of each pixel: the length of ``flow - truth``.

    Defined in Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011, section 4.1.

    Args:
        flow: the estimated flow, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        truth: the true flow, ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        ``(H, W)`` float32 in pixels; NaN where either flow is unknown.

    Raises:
        ValueError: the flows differ in size.
    """
    return _as_float32(_lengths_of_differences(flow, truth))


def _lengths_of_differences(flow: Flow, truth: Flow) -> npt.NDArray[np.float64]:
    _check_sizes(flow, truth)
    with np.errstate(invalid="ignore"):
        u, v = np.moveaxis(flow.astype(np.float64) - truth, -1, 0)
    return np.asarray(np.where(np.isfinite(u) & np.isfinite(v), np.hypot(u, v), np.nan))


def _as_float32(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def angular_error(flow: Flow, truth: Flow) -> npt.NDArray[np.float32]:
    """Compute the angular error of each pixel: the angle between ``(u, v, 1)`` and the true ``(u, v, 1)``.

    Defined in Barron, Fleet and Beauchemin, "Performance of Optical Flow Techniques", IJCV 1994, section 4.1.

    Args:
        flow: the estimated flow, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
        truth: the true flow, ``(H, W, 2)`` float32 in pixels; NaN where unknown.

    Returns:
        ``(H, W)`` float32 in degrees, 0..180; NaN where either flow is unknown.

    Raises:
        ValueError: the flows differ in size.
    """
    _check_sizes(flow, truth)
    u, v = np.moveaxis(flow.astype(np.float64), -1, 0)
    true_u, true_v = np.moveaxis(truth.astype(np.float64), -1, 0)
    with np.errstate(invalid="ignore", over="ignore"):
        # From the tangent, since the cosine is imprecise at small angles.
        cross = np.sqrt((v - true_v) ** 2 + (true_u - u) ** 2 + (u * true_v - v * true_u) ** 2)
        return _as_float32(np.degrees(np.arctan2(cross, u * true_u + v * true_v + 1)))


def _check_sizes(flow: Flow, truth: Flow) -> None:
    if flow.shape != truth.shape:
        raise ValueError(f"the flows have different sizes: {flow.shape[:2]} and {truth.shape[:2]}")


@dataclass
class Scores:
    """Error metrics over the pixels of one or more flows, accumulated flow by flow.

    A pixel counts if it is selected and both its true and its estimated flow are known. ``missing`` counts the
    selected pixels of which only the true flow is known. :meth:`figures` returns:

    - ``epe``: the mean end-point error in pixels (Baker et al., IJCV 2011).
    - ``epe_image_mean``: the mean of the images' own mean end-point errors, in pixels, as often published for KITTI.
    - ``outliers_1px``, ``outliers_3px``, ``outliers_5px``: the percentage of pixels whose end-point error is larger
      than that (Baker et al., IJCV 2011: R1, R3, R5).
    - ``fl_all``: the percentage of pixels whose end-point error is larger than both 3 pixels and 5 % of the true
      length (Menze and Geiger, "Object Scene Flow for Autonomous Vehicles", CVPR 2015).
    - ``angular_error``: the mean angular error in degrees (Barron et al., IJCV 1994).
    - ``s0_10``, ``s10_40``, ``s40``: the mean end-point error in pixels where the true flow is shorter than 10 pixels,
      from 10 to below 40, and 40 or longer (Butler et al., "A Naturalistic Open Source Movie for Optical Flow
      Evaluation", ECCV 2012).
    - ``pixels``, ``missing``, ``images``: the number of pixels that count, of missing pixels, and of images with true
      flow.
    """

    pixels: int = 0
    missing: int = 0
    images: int = 0
    image_means: list[float] = field(default_factory=list)
    _sums: dict[str, float] = field(default_factory=dict)
    _speed_pixels: dict[str, int] = field(default_factory=dict)

    def add(self, flow: Flow, truth: Flow, chosen: Mask | None = None) -> None:
        """Add a flow.

        Args:
            flow: the estimated flow, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
            truth: the true flow, ``(H, W, 2)`` float32 in pixels; NaN where unknown.
            chosen: the selected pixels, ``(H, W)`` bool; ``None`` for all.

        Raises:
            ValueError: the flows differ in size.
        """
        errors, angles = _lengths_of_differences(flow, truth), angular_error(flow, truth)
        asked = known(truth) if chosen is None else known(truth) & chosen
        both = asked & known(flow)
        self.missing += int(asked.sum() - both.sum())
        self.images += bool(asked.any())
        if not both.any():
            return
        epe = errors[both]
        speed = np.hypot(*truth[both].astype(np.float64).T)
        self.pixels += epe.size
        self.image_means.append(float(epe.mean()))
        self._sum("epe", epe.sum())
        self._sum("angular_error", angles[both].sum(dtype=np.float64))
        self._sum("fl_all", ((epe > _FL_PIXELS) & (epe > _FL_SHARE * speed)).sum())
        for pixels in _OUTLIER_PIXELS:
            self._sum(f"outliers_{pixels}px", (epe > pixels).sum())
        for name, (slowest, fastest) in _SPEEDS.items():
            inside = (speed >= slowest) & (speed < fastest)
            self._sum(name, epe[inside].sum())
            self._speed_pixels[name] = self._speed_pixels.get(name, 0) + int(inside.sum())

    def merge(self, other: Scores) -> None:
        """Add everything that ``other`` has accumulated."""
        self.pixels += other.pixels
        self.missing += other.missing
        self.images += other.images
        self.image_means += other.image_means
        for name, value in other._sums.items():
            self._sum(name, value)
        for name, count in other._speed_pixels.items():
            self._speed_pixels[name] = self._speed_pixels.get(name, 0) + count

    def _sum(self, name: str, value: float) -> None:
        self._sums[name] = self._sums.get(name, 0.0) + float(value)

    def figures(self) -> Figures:
        """The metrics so far; a figure is ``None`` if no pixel counts for it."""

        def mean(name: str, count: int, factor: float = 1.0) -> float | None:
            return factor * self._sums[name] / count if count else None

        shares = [*(f"outliers_{pixels}px" for pixels in _OUTLIER_PIXELS), "fl_all"]
        means: dict[str, Any] = {name: mean(name, self.pixels, 100.0) for name in shares}
        means |= {name: mean(name, self._speed_pixels.get(name, 0)) for name in _SPEEDS}
        return Figures(
            epe=mean("epe", self.pixels),
            epe_image_mean=float(np.mean(self.image_means)) if self.image_means else None,
            angular_error=mean("angular_error", self.pixels),
            pixels=self.pixels,
            missing=self.missing,
            images=self.images,
            **means,
        )
