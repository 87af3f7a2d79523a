"""``flowcli demo``: estimates the flow of a rendered scene with known motion."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..choices import DEFAULT_MODEL, FALLBACK_MODEL
from ..errors import ModelError
from ..places import file_only
from .console import console
from .estimator_options import EstimatorOptions
from .options import ConsoleOptions, ForceOption, JsonOption, takes_options

if TYPE_CHECKING:
    from ..estimator import FlowEstimator
    from ..results import Result


_FILES = ("frame1.png", "frame2.png", "truth.flo", "flow.flo", "flow.png", "panel.png")


@takes_options
def demo(
    estimator_options: EstimatorOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (only its side effect is needed)
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", parser=file_only, help="Output folder.")] = Path("demo"),
    json: JsonOption = False,  # noqa: ARG001  (read by takes_options)
    force: ForceOption = False,
) -> Result:
    """Render a small scene with known motion, estimate its flow and print the end-point error.

    Writes the frames, the true and the estimated flow, a picture of the flow, and panel.png, an overview.
    """
    import numpy as np

    from ..draw.outputs import write_flow
    from ..draw.panel import demo_panel
    from ..flows.metrics import endpoint_error
    from ..frames.images import write_image
    from ..results import DemoResult
    from ..scene import render_scene
    from ..storage import check_outputs

    frame1, frame2, truth, flow_file, colours, panel = (folder / name for name in _FILES)
    outputs = (frame1, frame2, truth, flow_file, colours, panel)
    check_outputs(list(outputs), force=force, inputs=[])
    estimator = _load_or_fall_back(estimator_options)
    scene = render_scene()
    started = time.monotonic()
    with console.progress("estimating", estimator.windows_for(scene.flow.shape[:2]), "windows") as advance:
        flow = estimator.estimate(scene.frame1, scene.frame2, on_window=advance)
    seconds = time.monotonic() - started
    errors = endpoint_error(flow, scene.flow)

    write_image(frame1, scene.frame1)
    write_image(frame2, scene.frame2)
    write_flow(truth, scene.flow)
    write_flow(flow_file, flow)
    write_flow(colours, flow)
    write_image(panel, demo_panel(scene.frame1, scene.frame2, flow, scene.flow))
    return DemoResult(
        outputs=outputs,
        seconds=round(seconds, 3),
        epe=float(np.mean(errors)),
        epe_visible=float(np.mean(errors[scene.visible])),
        **estimator.use(),
    )


def _load_or_fall_back(options: EstimatorOptions) -> FlowEstimator:
    """Load the requested model; if it is the default and unavailable, say so and load the built-in one."""
    try:
        return options.load()
    except ModelError as error:
        if options.model != DEFAULT_MODEL:
            raise
        console.note(error.with_flags())
        console.note(f"using {FALLBACK_MODEL}, OpenCV's classical flow, for this demo")
        return replace(options, model=FALLBACK_MODEL, device="auto", precision="auto").load()
