"""What the two directions of a pair say of each other: masks of consistent flow, and the distance itself."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Flow
from ..choices import ABSOLUTE, ERROR_NAMES, MASK_NAMES, RELATIVE
from ..draw.outputs import write_mask
from ..errors import UsageError
from ..flows.io import PLACEHOLDER
from ..flows.occlusion import inconsistency, occluded
from ..storage import write_bytes
from .names import FLOW, Template
from .record import Kind


@dataclass(frozen=True)
class Consistency:
    """What is stored of the forward-backward check; see :func:`flowcli.occluded`. Plain data.

    Raises:
        UsageError: a threshold is negative, or a name is wrong.
    """

    mask: bool = False
    """Whether to store which pixels are consistent: ``mask`` in ``.npz``, else a picture, white where hidden."""

    error: bool = False
    """Whether to store how far both directions differ, in pixels: ``error`` in ``.npz``, else a ``.npy``."""

    relative: float = RELATIVE
    """The part of the threshold that grows with the motion."""

    absolute: float = ABSOLUTE
    """The other part, in square pixels."""

    mask_names: str = MASK_NAMES
    """Names of masks: a template whose field is ``{flow}``, the flow's name without suffix."""

    error_names: str = ERROR_NAMES
    """The same for the distances."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("relative", "absolute"):
            if not 0 <= getattr(self, name) < np.inf:
                raise UsageError(f"`mask_{name}` must be at least 0, not {getattr(self, name)}")
        for name, suffix in (("mask", ".png"), ("error", ".npy")):
            template = self._template(name)
            if FLOW not in template.fields or Path(template.text).suffix.lower() != suffix:
                raise UsageError(
                    f"`{template.option}` {template.text!r}: it needs the field {{flow}} and the suffix {suffix}"
                )

    def _template(self, name: str) -> Template:
        """The template for the files of an array."""
        if name == "mask":
            return Template(self.mask_names, "mask_names", [FLOW])
        return Template(self.error_names, "consistency_names", [FLOW])

    @functools.cached_property
    def _templates(self) -> dict[str, Template]:
        """Those of what is stored."""
        return {name: self._template(name) for name in ("mask", "error") if getattr(self, name)}

    @property
    def is_wanted(self) -> bool:
        """Whether the flow in the other direction is needed."""
        return self.mask or self.error

    def kinds(self) -> list[Kind]:
        """The kinds of what may be stored beside a flow, for records."""
        return [kind_beside(name) for name in ("mask", "error") if getattr(self, name)]

    def settings(self) -> dict[str, object]:
        """What determines a mask, for records."""
        return {"relative": self.relative, "absolute": self.absolute}

    def arrays(self, flow: Flow, back: Flow) -> dict[str, npt.NDArray[Any]]:
        """What is stored of a pair of flows, by name.

        Args:
            flow: ``(H, W, 2)`` float32 in pixels.
            back: the flow in the other direction.

        Returns:
            ``mask``, ``(H, W)`` bool, true where consistent; ``error``, ``(H, W)`` float32 in pixels.
        """
        found: dict[str, npt.NDArray[Any]] = {}
        if self.mask:
            found["mask"] = ~occluded(flow, back, relative=self.relative, absolute=self.absolute)
        if self.error:
            found["error"] = inconsistency(flow, back)
        return found

    def files(self, out: Path) -> dict[str, Path]:
        """The files that hold these arrays of the flow ``out``, by name; all relative to the output folder."""
        flow = out.with_name(out.stem.replace(f"_{PLACEHOLDER}", ""))
        return {name: template.fill(flow=str(flow)) for name, template in self._templates.items()}


def kind_beside(name: str) -> Kind:
    """The kind of the file beside a flow that holds the array ``name``."""
    return "mask" if name == "mask" else "error"


def write_arrays(files: dict[str, Path], arrays: dict[str, npt.NDArray[Any]], made_from: str | None) -> None:
    """Write what belongs to a flow beside it; raises ``OutputError``."""
    for name, path in files.items():
        if name == "mask":
            write_mask(path, ~arrays["mask"], made_from)  # white where hidden, as `estimate` writes it
        else:
            file = io.BytesIO()
            np.lib.format.write_array(file, arrays[name], allow_pickle=False)
            write_bytes(path, file.getvalue(), made_from)
