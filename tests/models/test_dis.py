from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowcli import endpoint_error, load_estimator, read_flow, read_image
from flowcli.errors import UsageError
from flowcli.scene import render_scene


@pytest.mark.parametrize(("name", "bar"), [("RubberWhale", 0.13), ("Grove2", 0.18), ("Venus", 0.33)])
def test_error_on_real_frames(data: Path, name: str, bar: float) -> None:
    folder = data / "middlebury" / name
    flow = load_estimator("dis").estimate(read_image(folder / "frame10.png"), read_image(folder / "frame11.png"))
    assert np.nanmean(endpoint_error(flow, read_flow(folder / "flow10.flo"))) <= bar


def test_error_on_a_rendered_scene() -> None:
    scene = render_scene()
    errors = endpoint_error(load_estimator("dis").estimate(scene.frame1, scene.frame2), scene.flow)
    assert errors[scene.visible].mean() <= 0.15
    assert errors.mean() <= 0.3


@pytest.mark.parametrize("size", [(1, 1), (2, 40), (40, 2), (11, 11), (12, 12), (13, 100)])
def test_tiny_frames(size: tuple[int, int]) -> None:
    scene = render_scene(64, 120)
    frame1, frame2 = (frame[: size[0], : size[1]] for frame in (scene.frame1, scene.frame2))
    flow = load_estimator("dis").estimate(frame1, frame2)
    assert flow.shape == (*size, 2)
    assert np.isfinite(flow).all()


@pytest.mark.parametrize("arguments", [{"device": "cuda"}, {"precision": "bf16"}])
def test_what_dis_cannot_do_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="dis"):
        load_estimator("dis", **arguments)  # type: ignore[arg-type]
