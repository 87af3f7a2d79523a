"""flowcli: dense optical flow with the pretrained Perceiver IO checkpoint.

The public API is the names in this module, plus :mod:`flowcli.errors`, :mod:`flowcli.results` and
:mod:`flowcli.models`; all other modules are internal. Each name is imported on first use, so ``import flowcli`` is
instant::

    import flowcli

    estimator = flowcli.load_estimator()
    flow = estimator.estimate(flowcli.read_image("frame1.png"), flowcli.read_image("frame2.png"))
    flowcli.write_flow("flow.flo", flow)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .version import __version__

if TYPE_CHECKING:
    from .datasets.shared.search import SampleChoice
    from .draw.color import colorize
    from .draw.outputs import write_flow
    from .draw.style import Style
    from .errors import FlowcliError
    from .estimator import FlowEstimator, load_estimator
    from .flows.chain import chain
    from .flows.formats import FlowOptions
    from .flows.io import read_flow
    from .flows.metrics import endpoint_error, flow_statistics
    from .flows.occlusion import occluded
    from .flows.warp import warp
    from .frames.images import read_image
    from .frames.reading import Reading
    from .run.batch import estimate_batch
    from .run.batch_outputs import BatchOutputs
    from .run.check import check_model
    from .run.dataset_run import evaluate_dataset
    from .run.evaluation import evaluate
    from .run.report_files import ReportRequest
    from .run.report_motion import MotionReport
    from .run.stream import sequence
    from .run.video import estimate_video
    from .run.video_outputs import VideoOutputs
    from .run.warp import WarpOutputs, warp_sequence

__all__ = [
    "BatchOutputs",
    "FlowEstimator",
    "FlowOptions",
    "FlowcliError",
    "MotionReport",
    "Reading",
    "ReportRequest",
    "SampleChoice",
    "Style",
    "VideoOutputs",
    "WarpOutputs",
    "__version__",
    "chain",
    "check_model",
    "colorize",
    "endpoint_error",
    "estimate_batch",
    "estimate_video",
    "evaluate",
    "evaluate_dataset",
    "flow_statistics",
    "load_estimator",
    "occluded",
    "read_flow",
    "read_image",
    "sequence",
    "warp",
    "warp_sequence",
    "write_flow",
]

_HOME = {
    "BatchOutputs": "run.batch_outputs",
    "FlowEstimator": "estimator",
    "FlowOptions": "flows.formats",
    "FlowcliError": "errors",
    "MotionReport": "run.report_motion",
    "Reading": "frames.reading",
    "ReportRequest": "run.report_files",
    "SampleChoice": "datasets.shared.search",
    "Style": "draw.style",
    "VideoOutputs": "run.video_outputs",
    "WarpOutputs": "run.warp",
    "chain": "flows.chain",
    "check_model": "run.check",
    "colorize": "draw.color",
    "endpoint_error": "flows.metrics",
    "estimate_batch": "run.batch",
    "estimate_video": "run.video",
    "evaluate": "run.evaluation",
    "evaluate_dataset": "run.dataset_run",
    "flow_statistics": "flows.metrics",
    "load_estimator": "estimator",
    "occluded": "flows.occlusion",
    "read_flow": "flows.io",
    "read_image": "frames.images",
    "sequence": "run.stream",
    "warp": "flows.warp",
    "warp_sequence": "run.warp",
    "write_flow": "draw.outputs",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
