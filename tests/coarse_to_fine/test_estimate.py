"""Coarse to fine with DIS in small windows, on scenes whose motion is longer than those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from flowcli import FlowEstimator, endpoint_error, load_estimator, read_flow, read_image
from flowcli.arrays import Flow, Frame
from flowcli.errors import UsageError
from flowcli.models.dis import DisFlow
from flowcli.scene import Disc, Motion, Scene, render_scene
from support.windowed import WindowedDis

WINDOW = (60, 80)
SIZE = (240, 320)

PAN = Motion((30.0, 4.0))
STILL = Motion()


def error(flow: Flow, scene: Scene) -> float:
    return float(endpoint_error(flow, scene.flow).mean())


def estimate(scene: Scene, *, coarse_to_fine: bool = True) -> tuple[Flow, int]:
    """The flow, and the number of windows."""
    model = WindowedDis(WINDOW)
    flow = FlowEstimator(model, coarse_to_fine=coarse_to_fine).estimate(scene.frame1, scene.frame2)
    return flow, model.windows


@pytest.fixture(scope="module")
def pan() -> Scene:
    return render_scene(*SIZE, background=PAN, discs=())


@pytest.fixture(scope="module")
def layers() -> Scene:
    discs = [Disc((0.3, 0.4), 0.25, Motion((22.0, -3.0)), 0.06), Disc((0.7, 0.6), 0.2, Motion((-14.0, 8.0)), 0.33)]
    return render_scene(*SIZE, background=Motion((5.0, 1.0)), discs=discs)


def test_one_motion_beyond_the_window_is_found_with_40_percent_more_windows(pan: Scene) -> None:
    plain, windows = estimate(pan, coarse_to_fine=False)
    flow, more = estimate(pan)
    whole = load_estimator("dis").estimate(pan.frame1, pan.frame2)
    assert error(plain, pan) > 10
    assert error(flow, pan) < 1.2 * error(whole, pan)
    assert windows < more <= 1.4 * windows


def test_a_fast_pan_takes_no_more() -> None:
    scene = render_scene(*SIZE, background=Motion((40.0, 4.0)), discs=())
    (_, windows), (flow, more) = estimate(scene, coarse_to_fine=False), estimate(scene)
    assert error(flow, scene) < 1
    assert more <= 1.4 * windows


def test_windows_whose_coarse_flow_fails_follow_the_most_common_motion() -> None:
    moves = [((0.3, 0.4), 0.34, (26.0, -6.0)), ((0.72, 0.62), 0.24, (-14.0, 8.0)), ((0.6, 0.2), 0.14, (10.0, 6.0))]
    discs = [Disc(place, radius, Motion(motion), 0.1 + 0.3 * n) for n, (place, radius, motion) in enumerate(moves)]
    scene = render_scene(*SIZE, background=STILL, discs=discs)
    flow = FlowEstimator(WindowedDis((46, 62)), coarse_to_fine=True).estimate(scene.frame1, scene.frame2)
    whole = load_estimator("dis").estimate(scene.frame1, scene.frame2)
    assert error(flow, scene) < 1.2 * error(whole, scene)


def test_two_motions_are_found_with_about_twice_the_windows(layers: Scene) -> None:
    plain, windows = estimate(layers, coarse_to_fine=False)
    flow, more = estimate(layers)
    whole = load_estimator("dis").estimate(layers.frame1, layers.frame2)
    assert error(plain, layers) > 4 * error(flow, layers)
    assert error(flow, layers) < 1.2 * error(whole, layers)
    assert 1.4 * windows < more <= 2 * windows + 3


def test_a_fast_small_object_leaves_the_still_background_alone() -> None:
    scene = render_scene(*SIZE, background=STILL, discs=[Disc((0.4, 0.5), 0.15, Motion((20.0, 6.0)), 0.06)])
    (plain, _), (flow, _) = estimate(scene, coarse_to_fine=False), estimate(scene)
    moving = np.abs(scene.flow).max(axis=-1) > 0
    errors = endpoint_error(flow, scene.flow)
    assert errors[moving].mean() < 1
    assert errors[~moving].mean() < 0.5
    assert error(flow, scene) < error(plain, scene)


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(lambda: render_scene(*SIZE, background=Motion(zoom=1.1), discs=()), id="zoom"),
        pytest.param(lambda: render_scene(*SIZE, background=Motion(angle=6), discs=()), id="rotation"),
        pytest.param(lambda: render_scene(*SIZE), id="slow"),
        pytest.param(lambda: render_scene(*SIZE, background=STILL, discs=()), id="still"),
    ],
)
def test_it_does_no_harm(scene: object) -> None:
    assert callable(scene)
    made = scene()
    (plain, _), (flow, _) = estimate(made, coarse_to_fine=False), estimate(made)
    assert error(flow, made) <= 1.03 * error(plain, made)


def test_a_coarse_flow_that_explains_nothing_does_no_harm() -> None:
    # Tiles that repeat every 12 pixels vanish, or turn into others, at small scales.
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1] + 12]
    tiles = ((columns % 12 < 6) ^ (rows % 12 < 6)) * np.uint8(150) + np.uint8(50)
    noise = np.random.default_rng(0).integers(-9, 10, tiles.shape)
    image = np.repeat((tiles + noise).astype(np.uint8)[..., None], 3, axis=2)
    frame1, frame2 = image[:, 2 : 2 + SIZE[1]], image[:, : SIZE[1]]
    scene = Scene(frame1, frame2, np.full((*SIZE, 2), (2, 0), np.float32), np.ones(SIZE, np.bool_))
    (plain, _), (flow, _) = estimate(scene, coarse_to_fine=False), estimate(scene)
    assert error(flow, scene) <= 1.03 * error(plain, scene)


@pytest.mark.parametrize("name", ["RubberWhale", "Grove2", "Venus"])
def test_real_frames_are_never_worse(data: Path, name: str) -> None:
    folder = data / "middlebury" / name
    frames = [read_image(folder / file) for file in ("frame10.png", "frame11.png")]
    truth = read_flow(folder / "flow10.flo")
    plain, flow = (
        FlowEstimator(WindowedDis(WINDOW), coarse_to_fine=following).estimate(*frames) for following in (False, True)
    )
    errors = [float(np.nanmean(endpoint_error(each, truth))) for each in (plain, flow)]
    assert errors[1] <= 1.03 * errors[0]


def test_what_a_pan_takes_out_of_the_frame_is_carried_on(pan: Scene) -> None:
    off = endpoint_error(estimate(pan)[0], pan.flow)
    assert off[:, -30:].max() < 0.1  # of 320 columns, which move right by 30


def test_what_comes_into_view_is_not_taken_for_another_exposure() -> None:
    """A pan from a dark part of a picture to a bright one, over a part without texture."""
    random = np.random.default_rng(0)
    cells = random.integers(0, 90, (30, 45), dtype=np.uint8)
    levels = np.asarray(cv2.resize(cells, (SIZE[1] + 40, SIZE[0] + 20)), np.uint8)
    picture = np.repeat(levels[..., None], 3, axis=2)
    picture[:, :120] += 130
    picture[60:130, 150:260] = 12
    frame1, frame2 = picture[20:, 40:], picture[:-20, :-40]
    scene = Scene(frame1, frame2, np.full((*SIZE, 2), (40, 20), np.float32), np.ones(SIZE, np.bool_))
    assert abs(frame1.mean() - frame2.mean()) > 5
    assert error(estimate(scene)[0], scene) < 0.2


def test_what_the_coarse_flow_has_lost_is_looked_for() -> None:
    """A pan that is too fast for DIS at any scale."""
    cells = np.random.default_rng(0).integers(0, 256, (32, 47, 3), dtype=np.uint8)
    picture = np.asarray(cv2.resize(cells, (SIZE[1] + 60, SIZE[0] + 20), interpolation=cv2.INTER_CUBIC), np.uint8)
    frame1, frame2 = (np.ascontiguousarray(part) for part in (picture[20:, 60:], picture[:-20, :-60]))
    scene = Scene(frame1, frame2, np.full((*SIZE, 2), (60, 20), np.float32), np.ones(SIZE, np.bool_))
    assert error(load_estimator("dis").estimate(frame1, frame2), scene) > 30
    assert error(estimate(scene)[0], scene) < 3


def test_what_is_lost_with_what_it_covers_is_found_by_a_part_of_it(data: Path) -> None:
    """A thing that moves by half of its width: as a whole, what is lost is nowhere in the second frame."""
    ground, thing = (read_image(data / "middlebury" / name / "frame10.png") for name in ("RubberWhale", "Grove2"))
    frame1, frame2 = (ground[100:340, 100:420].copy() for _ in range(2))
    truth = np.zeros((240, 320, 2), np.float32)
    for frame, left in ((frame1, 140), (frame2, 110)):
        frame[40:110, left : left + 57] = thing[200:270, 300:357]
    truth[40:110, 140:197] = -30, 0
    flows = [FlowEstimator(WindowedDis((92, 124)), coarse_to_fine=on).estimate(frame1, frame2) for on in (False, True)]
    alone, ours = (float(endpoint_error(flow, truth).mean()) for flow in flows)
    assert ours < 0.3 * alone


def jumps_at_borders(flow: Flow, scene: Scene) -> float:
    """How much the error jumps at the borders of windows, as a multiple of its jumps elsewhere."""
    off = flow - scene.flow
    grid = FlowEstimator(WindowedDis(WINDOW)).grid_for(SIZE)
    borders, inside = [], []
    for axis, starts in ((0, grid.rows), (1, grid.columns)):
        jumps = np.moveaxis(np.abs(np.diff(off, axis=axis)).sum(axis=-1), axis, 0)
        ends = {place + side for place in starts for side in (0, grid.window[axis])} - {0, SIZE[axis]}
        is_border = np.isin(np.arange(1, SIZE[axis]), list(ends))
        borders.append(jumps[is_border].ravel())
        inside.append(jumps[~is_border].ravel())
    return float(np.concatenate(borders).mean() / np.concatenate(inside).mean())


def test_there_are_no_seams_where_windows_meet(pan: Scene, layers: Scene) -> None:
    assert jumps_at_borders(estimate(pan)[0], pan) <= 1
    # The edges of the discs are where they are: some lie on borders, as they do for a flow that has no windows.
    flow, plain = (estimate(layers, coarse_to_fine=following)[0] for following in (True, False))
    whole = load_estimator("dis").estimate(layers.frame1, layers.frame2)
    without = jumps_at_borders(whole, layers)
    assert jumps_at_borders(flow, layers) <= without < jumps_at_borders(plain, layers)


class Watched(WindowedDis):
    """Keeps the windows that it is given."""

    def __init__(self) -> None:
        super().__init__(WINDOW)
        self.seen: list[tuple[Frame, Frame]] = []

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self.seen += zip(frames1.copy(), frames2.copy(), strict=True)
        return super().__call__(frames1, frames2)


def test_the_model_sees_the_pixels_of_the_frames_shifted_and_not_resampled(pan: Scene) -> None:
    model = Watched()
    estimator = FlowEstimator(model, coarse_to_fine=True)
    estimator.estimate(pan.frame1, pan.frame2)
    grid = estimator.grid_for(SIZE)
    shifts = set()
    for first, second in model.seen[-len(grid) :]:
        ((row, column),) = [p for p in grid.positions if np.array_equal(first, pan.frame1[p[0] :, p[1] :][:60, :80])]
        if row + 60 + 8 <= SIZE[0] and column + 80 + 34 <= SIZE[1]:
            places = [
                (right, down)
                for right in range(26, 35)
                for down in range(9)
                if np.array_equal(second, pan.frame2[row + down :, column + right :][:60, :80])
            ]
            assert len(places) == 1
            shifts.update(places)
    assert shifts == {(30, 4)}


@pytest.mark.parametrize("batch", [1, 3, 16, 500])
def test_the_batch_size_and_the_company_change_nothing(pan: Scene, layers: Scene, batch: int) -> None:
    alone = [estimate(scene)[0] for scene in (pan, layers)]
    pairs = [(scene.frame1, scene.frame2) for scene in (pan, layers, pan)]
    flows = list(FlowEstimator(WindowedDis(WINDOW, batch), coarse_to_fine=True).estimate_pairs(pairs))
    for flow, expected in zip(flows, [*alone, alone[0]], strict=True):
        np.testing.assert_array_equal(flow, expected)


def test_levels_of_several_pairs_share_batches_and_few_pairs_are_held(pan: Scene) -> None:
    model = WindowedDis(WINDOW, 16)
    taken = 0

    def pairs() -> Iterator[tuple[Frame, Frame]]:
        nonlocal taken
        for _ in range(12):
            taken += 1
            yield pan.frame1, pan.frame2

    held = [taken - done for done, _ in enumerate(FlowEstimator(model, coarse_to_fine=True).estimate_pairs(pairs()))]
    alone = WindowedDis(WINDOW, 16)
    FlowEstimator(alone, coarse_to_fine=True).estimate(pan.frame1, pan.frame2)
    assert model.windows == 12 * alone.windows
    assert len(model.passes) < 12 * len(alone.passes)
    assert max(held) <= 4


def test_windows_are_counted_with_the_flow(layers: Scene) -> None:
    model = WindowedDis(WINDOW)
    work = [
        ("a", (layers.frame1, layers.frame2)),
        ("b", None),
        ("c", (layers.frame1[:50, :70], layers.frame2[:50, :70])),
    ]
    counts = {key: windows for key, _, windows in FlowEstimator(model, coarse_to_fine=True).estimate_counted(work)}
    assert counts["b"] == 0
    assert counts["c"] == 1
    assert sum(counts.values()) == model.windows


@pytest.mark.parametrize("gain", [0.8, 1.2])
def test_exposure_may_change(pan: Scene, gain: float) -> None:
    second = np.clip(pan.frame2 * gain, 0, 255).astype(np.uint8)
    scene = Scene(pan.frame1, second, pan.flow, pan.visible)
    whole = load_estimator("dis").estimate(scene.frame1, scene.frame2)
    assert error(estimate(scene)[0], scene) < 1.2 * error(whole, scene)


def test_a_plain_background_stays_where_it_is() -> None:
    moving = render_scene(*SIZE, background=STILL, discs=[Disc((0.4, 0.5), 0.15, STILL, 0.06)])
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    is_disc = (rows - 120) ** 2 + (columns - 128) ** 2 < 36**2
    plain = np.where(is_disc[..., None], moving.frame1, np.uint8(140))
    random = np.random.default_rng(0)
    noisy = [np.clip(plain + random.normal(0, 2, plain.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    scene = Scene(noisy[0], noisy[1], np.zeros((*SIZE, 2), np.float32), np.ones(SIZE, np.bool_))
    (alone, _), (flow, _) = estimate(scene, coarse_to_fine=False), estimate(scene)
    assert error(flow, scene) <= 1.05 * error(alone, scene)


@pytest.mark.parametrize("noise", [0, 2])
@pytest.mark.parametrize(("radius", "motion", "window"), [(30, (20, -6), (60, 80)), (62, (30, 8), (92, 124))])
def test_an_object_on_a_background_without_texture_moves_alone(
    noise: int, radius: int, motion: tuple[int, int], window: tuple[int, int]
) -> None:
    texture = render_scene(240, 320, seed=1, background=Motion(), discs=()).frame1
    down, right = np.mgrid[:240, :320]
    is_object = (down - 120) ** 2 + (right - 107) ** 2 < radius**2
    truth = np.where(is_object[..., None], np.array(motion, np.float32), np.float32(0))
    moved = np.roll(is_object, motion[::-1], (0, 1))
    frames = []
    for number, (place, pattern) in enumerate([(is_object, texture), (moved, np.roll(texture, motion[::-1], (0, 1)))]):
        frame = np.where(place[..., None], pattern, 140) + np.random.default_rng(number).normal(0, noise, texture.shape)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    alone, fine = (
        FlowEstimator(WindowedDis(window), coarse_to_fine=is_fine).estimate(*frames) for is_fine in (False, True)
    )
    errors = [float(endpoint_error(flow, truth).mean()) for flow in (alone, fine)]
    assert errors[1] < 1.1 * errors[0]


@pytest.mark.parametrize(("corner", "motion"), [((190, 265), (31, -3)), ((98, 3), (48, 13))])
def test_an_object_at_the_edge_of_the_frame_moves_alone(corner: tuple[int, int], motion: tuple[int, int]) -> None:
    """One that leaves the frame in part, and one that the smallest scale takes to leave it."""
    (top, left), (right, down) = corner, motion
    thing = np.repeat(np.repeat(np.random.default_rng(1).integers(0, 256, (2, 3, 3), dtype=np.uint8), 14, 0), 9, 1)
    frame1, frame2 = np.full((2, *SIZE, 3), 140, np.uint8)
    frame1[top : top + 28, left : left + 27] = thing
    there = frame2[top + down : top + down + 28, left + right : left + right + 27]
    there[:] = thing[: there.shape[0], : there.shape[1]]
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[top : top + 28, left : left + 27] = motion
    scene = Scene(frame1, frame2, flow, np.ones(SIZE, np.bool_))
    (alone, _), (fine, _) = estimate(scene, coarse_to_fine=False), estimate(scene)
    assert error(fine, scene) < 0.6 * error(alone, scene)


@pytest.mark.parametrize("gain", [1.2, 1.3])
def test_much_of_the_second_frame_may_be_saturated(pan: Scene, gain: float) -> None:
    bright = np.clip(pan.frame2 * gain + 20, 0, 255).astype(np.uint8)
    assert (bright == 255).mean() > 0.02
    flow = FlowEstimator(WindowedDis(WINDOW), coarse_to_fine=True).estimate(pan.frame1, bright)
    assert endpoint_error(flow, pan.flow)[pan.visible].mean() < 1


def test_the_longest_frames_are_refused() -> None:
    frame = np.zeros((50, 32_800, 3), np.uint8)
    with pytest.raises(UsageError, match="32766 pixels on a side"):
        FlowEstimator(WindowedDis(WINDOW), coarse_to_fine=True).estimate(frame, frame)


class Broken(WindowedDis):
    """Gives what no model should."""

    def __call__(self, frames1: npt.NDArray[np.uint8], frames2: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        flows = super().__call__(frames1, frames2)
        flows[:, :20] = (np.nan, np.inf)
        flows[:, 40:] = 1e30
        return flows


def test_flow_that_is_no_number_or_far_too_long_is_no_fault(layers: Scene) -> None:
    flow = FlowEstimator(Broken(WINDOW), coarse_to_fine=True).estimate(layers.frame1, layers.frame2)
    assert flow.shape == layers.flow.shape
    assert np.isnan(flow).any()


def test_one_window_and_whole_frames_are_unchanged(pan: Scene) -> None:
    small = pan.frame1[: WINDOW[0], : WINDOW[1]], pan.frame2[: WINDOW[0], : WINDOW[1]]
    for model, frames in ((WindowedDis(WINDOW), small), (DisFlow(), (pan.frame1, pan.frame2))):
        plain, following = (FlowEstimator(model, coarse_to_fine=on) for on in (False, True))
        np.testing.assert_array_equal(following.estimate(*frames), plain.estimate(*frames))
        assert following.most_levels == 1


def test_the_published_procedure_has_none() -> None:
    with pytest.raises(UsageError, match=r"coarse_to_fine.*grid"):
        FlowEstimator(WindowedDis(WINDOW), coarse_to_fine=True, grid="reference")


def test_records_tell_it_only_where_it_is_on() -> None:
    plain, following = (FlowEstimator(WindowedDis(WINDOW), coarse_to_fine=on) for on in (False, True))
    assert "coarse_to_fine" not in plain.settings()
    assert following.settings() == {**plain.settings(), "coarse_to_fine": True}
    assert (plain.use()["coarse_to_fine"], following.use()["coarse_to_fine"]) == (False, True)


def test_it_works_at_other_scales(layers: Scene) -> None:
    model = WindowedDis(WINDOW)
    flow = FlowEstimator(model, coarse_to_fine=True, scale=0.5).estimate(layers.frame1, layers.frame2)
    assert flow.shape == layers.flow.shape
    assert error(flow, layers) < 3
