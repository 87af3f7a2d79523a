"""Motion larger than a window: windows alone, coarse to fine, and DIS on whole frames, on rendered 4K scenes.

``python -m benchmarks.coarse_to_fine`` prints the end-point errors by speed and the windows spent. The model is
DIS, restricted to windows of 368 x 496 pixels: random checkpoints cannot tell good from bad. ``--picture OUT.jpg``
draws the picture of the documentation instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2

from flowcli import FlowEstimator, colorize
from flowcli.arrays import Flow, Frame, size_of
from flowcli.draw.color import largest_flow
from flowcli.draw.panel import panel
from flowcli.flows.metrics import Scores
from flowcli.frames.images import write_image
from flowcli.models.dis import DisFlow
from flowcli.scene import Disc, Motion, Scene, render_scene
from flowcli.tiling import Size
from support.windowed import WindowedDis

WINDOW = (368, 496)
SIZE = (2160, 3840)

_GRAIN = 6.0  # of 4K frames, whose objects are as large as those of small ones

Render = Callable[[Size], Scene]


def layers(size: Size) -> Scene:
    """Layers that move by up to 300 pixels, for 2160 rows."""
    unit = size[0] / 2160
    moves = [
        ((0.28, 0.40), 0.34, (290.0, -60.0), 0.06),
        ((0.72, 0.62), 0.24, (-120.0, 70.0), 0.33),
        ((0.62, 0.18), 0.14, (90.0, 50.0), 0.88),
    ]
    discs = [Disc(place, radius, Motion((u * unit, v * unit)), hue) for place, radius, (u, v), hue in moves]
    return render_scene(*size, background=Motion((40 * unit, -10 * unit)), discs=discs, grain=_GRAIN * unit)


def fast_object(size: Size) -> Scene:
    """A small object that moves by 120 pixels over a still background, for 2160 rows."""
    unit = size[0] / 2160
    disc = Disc((0.42, 0.5), 0.09, Motion((115 * unit, 35 * unit)), 0.06)
    return render_scene(*size, background=Motion(), discs=[disc], grain=_GRAIN * unit)


def zoom(size: Size) -> Scene:
    """A zoom by 12 %: up to 260 pixels in the corners."""
    return render_scene(*size, background=Motion(zoom=1.12), discs=(), grain=_GRAIN * size[0] / 2160)


def rotation(size: Size) -> Scene:
    """A rotation by 6 degrees: up to 230 pixels in the corners."""
    return render_scene(*size, background=Motion(angle=6), discs=(), grain=_GRAIN * size[0] / 2160)


SCENES: tuple[Render, ...] = (layers, fast_object, zoom, rotation)


def main() -> None:
    """Print the table, or draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, metavar="OUT")
    picture: Path | None = parser.parse_args().picture
    if picture is not None:
        write_image(picture, overview(layers((1080, 1920)), height=270))
        return
    for render in SCENES:
        scene = render(SIZE)
        sys.stdout.write(f"{render.__name__}\n")
        for name, (flow, windows) in estimates(scene).items():
            sys.stdout.write(f"  {name:14s} {scored(flow, scene)}, {windows} windows\n")
            sys.stdout.flush()


def estimates(scene: Scene) -> dict[str, tuple[Flow, int]]:
    """The flows of the three ways, and the windows that they took."""
    found = {}
    for name, following in (("windows alone", False), ("coarse to fine", True)):
        model = WindowedDis(WINDOW)
        flow = FlowEstimator(model, coarse_to_fine=following).estimate(scene.frame1, scene.frame2)
        found[name] = flow, model.windows
    found["whole frame"] = FlowEstimator(DisFlow()).estimate(scene.frame1, scene.frame2), 0
    return found


def scored(flow: Flow, scene: Scene) -> str:
    """The end-point errors in pixels: all, and by speed."""
    scores = Scores()
    scores.add(flow, scene.flow)
    figures = scores.figures()
    named = {"all": figures.epe, "s0-10": figures.s0_10, "s10-40": figures.s10_40, "s40+": figures.s40}
    return ", ".join(f"{name} {'-' if value is None else f'{value:.2f}'}" for name, value in named.items())


def overview(scene: Scene, height: int) -> Frame:
    """A frame and its flow by windows alone, coarse to fine, and as it truly is."""
    found, longest = estimates(scene), largest_flow(scene.flow)
    rim = 1.1 * longest  # longer flow would be darkened
    tiles = [
        ("frame 1", scene.frame1),
        ("windows alone", colorize(found["windows alone"][0], rim)),
        ("coarse to fine", colorize(found["coarse to fine"][0], rim)),
        (f"true flow (up to {longest:.0f} px)", colorize(scene.flow, rim)),
    ]
    rows, columns = size_of(scene.frame1)
    small = (columns * height // rows, height)
    return panel([(name, _resized(tile, small)) for name, tile in tiles], columns=2)


def _resized(picture: Frame, size: tuple[int, int]) -> Frame:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype("uint8")


if __name__ == "__main__":
    main()
