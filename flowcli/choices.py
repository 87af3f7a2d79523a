"""Every set of values that users choose from, declared once; cheap to import, so that ``--help`` stays fast."""

from __future__ import annotations

from typing import Literal, TypeAlias

FlowFormatName: TypeAlias = Literal["flo", "png", "kitti", "npy", "npz", "pfm", "flo5", "exr", "tif", "jpg"]
"""Output formats of a flow. Each is a module of ``flowcli.flows.formats``, except ``png``, which is a picture."""

AmbiguousFormatName: TypeAlias = Literal["kitti", "jpg"]
"""Formats that must be chosen by name because a picture has the same suffix."""

VerticalAxis: TypeAlias = Literal["up", "down"]
"""Where the second component of flow points where it is positive."""

Wheel: TypeAlias = Literal["middlebury", "hsv"]
"""Colour wheels for directions: zero flow is white in ``middlebury`` and black in ``hsv``."""

FlowVideoFormat: TypeAlias = Literal["mp4", "webm"]
"""Formats of the flow video that each video of a batch gets."""

Layout: TypeAlias = Literal["flow", "side-by-side", "overlay", "arrows", "occlusion"]
"""What each frame of a flow video shows."""

Pad: TypeAlias = Literal["none", "repeat", "zero", "backward"]
"""What frames of a sequence get that have no partner."""

GridKind: TypeAlias = Literal["even", "reference"]
"""How a frame is cut into windows: ``even`` uses as few as possible, ``reference`` those of the published procedure."""

Precision: TypeAlias = Literal["auto", "fp32", "tf32", "bf16", "fp16"]
"""The arithmetic that a model runs in; ``auto`` is tf32 on GPUs that have it, else fp32."""

TableFormat: TypeAlias = Literal["text", "markdown", "latex", "csv"]
"""How a table of figures is written."""

SplitName: TypeAlias = Literal["train", "val", "test"]
"""The parts of a data set; a ``test`` part may have no published true flow."""

Status: TypeAlias = Literal["done", "skipped", "failed"]
"""The status of a pair after a run."""

RELATIVE, ABSOLUTE = 0.01, 0.5
"""The parts of the threshold of the forward-backward check; the absolute one in square pixels."""

MASK_NAMES, ERROR_NAMES = "{flow}_mask.png", "{flow}_error.npy"
"""The default names of what is stored beside a flow."""

DEFAULT_MODEL = "deepmind/optical-flow-perceiver"
"""The model used if none is given."""

FALLBACK_MODEL = "dis"
"""The built-in model that the demo uses if the default model is unavailable."""
