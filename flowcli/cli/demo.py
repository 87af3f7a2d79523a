"""``flowcli demo``: a rendered scene with known motion, from frames to flow."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ModelError
from ..models import DIS
from .console import console
from .estimate import describe
from .options import ConsoleOptions, EstimatorOptions, ForceOption, JsonOption, takes_options

if TYPE_CHECKING:
    from ..estimator import FlowEstimator


@takes_options
def demo(
    estimator_options: EstimatorOptions,
    console_options: ConsoleOptions,  # noqa: ARG001  (has told the console already)
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", readable=False, help="Where to write.")] = Path("demo"),
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Render a small scene with known motion, estimate its flow and show how far off it is.

    Writes the frames, the flow, its colours and a panel.
    """
    import numpy as np

    from ..draw.outputs import write_flow
    from ..draw.style import demo_panel
    from ..flows.metrics import endpoint_error
    from ..frames.images import write_image
    from ..scene import render_scene
    from ..storage import check_outputs

    names = ("frame1.png", "frame2.png", "truth.flo", "flow.flo", "flow.png", "panel.png")
    check_outputs([folder / name for name in names], force=force, inputs=[])
    estimator = _load_or_dis(estimator_options)
    scene = render_scene()
    started = time.monotonic()
    with console.progress("estimating", len(estimator.grid_for(scene.flow.shape[:2])), "windows") as advance:
        flow = estimator.estimate(scene.frame1, scene.frame2, on_window=advance)
    seconds = time.monotonic() - started
    errors = endpoint_error(flow, scene.flow)

    write_image(folder / "frame1.png", scene.frame1)
    write_image(folder / "frame2.png", scene.frame2)
    write_flow(folder / "truth.flo", scene.flow)
    write_flow(folder / "flow.flo", flow)
    write_flow(folder / "flow.png", flow)
    write_image(folder / "panel.png", demo_panel(scene.frame1, scene.frame2, flow, scene.flow))

    epe, epe_visible = float(np.mean(errors)), float(np.mean(errors[scene.visible]))
    if json:
        report = {"folder": folder, **describe(estimator), "seconds": round(seconds, 3)}
        console.result({**report, "epe": epe, "epe_visible": epe_visible})
    else:
        console.output(f"end-point error of {estimator.model.name}: {epe:.3f} px, {epe_visible:.3f} px where visible\n")
    console.note(f"wrote frames, flow and {folder / 'panel.png'} ({seconds:.1f} s)")


def _load_or_dis(options: EstimatorOptions) -> FlowEstimator:
    """The model that was asked for; DIS only where the default cannot be had, and that is said."""
    from ..models import DEFAULT_MODEL

    try:
        return options.load()
    except ModelError as error:
        if options.model != DEFAULT_MODEL:
            raise
        console.note(f"{error}")
        console.note("this demo goes on with dis, OpenCV's classical flow, instead")
        return replace(options, model=DIS, device="auto", precision="auto").load()
