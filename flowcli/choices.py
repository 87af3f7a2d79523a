"""Every set of choices that users name, declared once; light, so that the command line can list them at once."""

from __future__ import annotations

from typing import Literal, TypeAlias

FlowFormatName: TypeAlias = Literal["flo", "png", "kitti", "npy", "npz", "pfm", "flo5"]
"""What a flow can be written as: a module of ``flowcli.flows.formats`` each, but for ``png``, which is a picture."""

AmbiguousFormatName: TypeAlias = Literal["kitti"]
"""The formats that have to be named because their suffix also means something else."""

Wheel: TypeAlias = Literal["middlebury", "hsv"]
"""How directions become colours: ``middlebury`` shows no motion in white, ``hsv`` in black."""

Layout: TypeAlias = Literal["flow", "side-by-side", "overlay", "arrows"]
"""What a frame of a flow video shows."""

GridKind: TypeAlias = Literal["even", "reference"]
"""Which windows a frame is cut into: the fewest, spread evenly, or the published procedure's."""

Precision: TypeAlias = Literal["auto", "fp32", "tf32", "bf16", "fp16"]
"""The arithmetic a model runs in; ``auto`` is tf32 on a GPU that has it, else fp32."""

DatasetName: TypeAlias = Literal["middlebury", "sintel", "kitti"]
"""The benchmarks with known true flow."""

Status: TypeAlias = Literal["done", "skipped", "failed"]
"""What became of a pair."""

DEFAULT_MODEL = "deepmind/optical-flow-perceiver"
"""The model that is used where none is named."""

FALLBACK_MODEL = "dis"
"""The built-in model that the demonstration uses where the default cannot be had."""
