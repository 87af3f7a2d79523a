"""KITTI's figures, against loops in float32 that follow the development kits."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from flowcli import read_flow, write_flow
from flowcli.arrays import Flow
from flowcli.figures import find_figures
from flowcli.figures.shared.figure_set import FigureSet, Judged, Rows
from flowcli.figures.shared.kitti import fill_background

F = np.float32


def figures(figure_set: FigureSet, *pairs: Judged) -> Rows:
    sums = figure_set.tally(pairs[0])
    for pair in pairs[1:]:
        sums.merge(figure_set.tally(pair))
    return figure_set.table(sums)


def filled_by_hand(flow: Flow) -> Flow:
    """As the development kit goes through it, pixel by pixel."""
    height, width = flow.shape[:2]
    valid = np.asarray(np.isfinite(flow).all(axis=-1))
    out = np.where(valid[..., None], flow, F(0)).astype(F)
    for row in range(height):
        columns = [column for column in range(width) if valid[row, column]]
        if not columns:
            continue
        for left, right in itertools.pairwise(columns):
            for column in range(left + 1, right):
                out[row, column] = [min(out[row, left, part], out[row, right, part]) for part in (0, 1)]
        for column in range(columns[0]):
            out[row, column] = out[row, columns[0]]
        for column in range(columns[-1] + 1, width):
            out[row, column] = out[row, columns[-1]]
    rows = [row for row in range(height) if valid[row].any()]
    for row in range(height if rows else 0):
        if row < rows[0]:
            out[row] = out[rows[0]]
        if row > rows[-1]:
            out[row] = out[rows[-1]]
    return out


def holed(seed: int, height: int = 9, width: int = 14) -> Flow:
    random = np.random.default_rng(seed)
    flow = random.normal(0, 20, (height, width, 2)).astype(F)
    flow[random.random((height, width)) < 0.4] = np.nan
    flow[[0, 1, 4, height - 1]] = np.nan
    return flow


@pytest.mark.parametrize("seed", range(4))
def test_unknown_flow_is_filled_as_the_development_kit_does(seed: int) -> None:
    flow = holed(seed)
    np.testing.assert_array_equal(fill_background(flow), filled_by_hand(flow))


def test_flow_that_is_known_everywhere_or_nowhere() -> None:
    flow = np.ones((3, 4, 2), F)
    np.testing.assert_array_equal(fill_background(flow), flow)
    np.testing.assert_array_equal(fill_background(np.full_like(flow, np.nan)), np.zeros_like(flow))


def pair(folder: Path, seed: int) -> tuple[Judged, Flow, np.ndarray]:
    """An estimate with holes, a truth, the truth of what is not occluded, and an object map."""
    random = np.random.default_rng(seed)
    folder.mkdir()
    flow = holed(seed)
    truth = (np.where(np.isfinite(flow), flow, F(3)) + random.normal(0, 4, flow.shape)).astype(F)
    truth[random.random(truth.shape[:2]) < 0.2] = np.nan
    noc = truth.copy()
    noc[random.random(truth.shape[:2]) < 0.3] = np.nan
    write_flow(folder / "noc.npy", noc)
    objects = random.integers(0, 3, truth.shape[:2]).astype(np.uint8)
    cv2.imwrite(str(folder / "objects.png"), objects)
    maps = {"noc": folder / "noc.npy", "objects": folder / "objects.png"}
    return Judged(Path("e.flo"), flow, Path("t.png"), truth, maps, read_flow), noc, objects


def errors_by_hand(truth: Flow, estimate: Flow, row: int, column: int) -> tuple[np.float32, np.float32]:
    du, dv = (F(truth[row, column, part] - estimate[row, column, part]) for part in (0, 1))
    tu, tv = truth[row, column]
    return F(np.sqrt(F(F(du * du) + F(dv * dv)))), F(np.sqrt(F(F(tu * tu) + F(tv * tv))))


def test_fl_of_2015(tmp_path: Path) -> None:
    drawn = [pair(tmp_path / str(seed), seed) for seed in (5, 6)]
    counted: dict[str, dict[str, list[bool]]] = {row: {} for row in ("noc", "all")}
    for judged, noc, objects in drawn:
        full = filled_by_hand(judged.flow)
        for name, truth in (("noc", noc), ("all", judged.truth)):
            for row, column in np.argwhere(np.isfinite(truth).all(axis=-1)):
                distance, length = errors_by_hand(truth, full, row, column)
                is_error = bool(float(distance) > 3.0 and float(distance / length) > 0.05)
                part = "bg" if objects[row, column] == 0 else "fg"
                estimated = np.isfinite(judged.flow[row, column]).all()
                for key in (part, "all"):
                    counted[name].setdefault(f"fl_{key}", []).append(is_error)
                    if estimated:
                        counted[name].setdefault(f"fl_{key}_est", []).append(is_error)
    found = figures(find_figures("kitti2015"), *(judged for judged, _, _ in drawn))
    for row_name, values in counted.items():
        for key, errors in values.items():
            assert found[row_name][key] == pytest.approx(100 * sum(errors) / len(errors), rel=1e-6), (row_name, key)
        density = 100 * len(values["fl_all_est"]) / len(values["fl_all"])
        assert found[row_name]["density"] == pytest.approx(density)


def test_figures_of_2012_are_means_over_pairs(tmp_path: Path) -> None:
    drawn = [pair(tmp_path / str(seed), seed) for seed in (7, 8)]
    means: dict[str, dict[str, list[float]]] = {row: {} for row in ("noc", "all")}
    for judged, noc, _ in drawn:
        full = filled_by_hand(judged.flow)
        for name, truth in (("noc", noc), ("all", judged.truth)):
            places = np.argwhere(np.isfinite(truth).all(axis=-1))
            errors = [float(errors_by_hand(truth, full, row, column)[0]) for row, column in places]
            estimated = [bool(np.isfinite(judged.flow[row, column]).all()) for row, column in places]
            for limit in (2, 3, 4, 5):
                share = 100 * sum(error > limit for error in errors) / len(errors)
                means[name].setdefault(f"out_{limit}px", []).append(share)
            total = np.float32(0)  # column after column, as the kit does
            for row, column in sorted(map(tuple, places), key=lambda place: place[::-1]):
                total += errors_by_hand(truth, full, row, column)[0]
            means[name].setdefault("avg", []).append(float(total / np.float32(len(places))))
            means[name].setdefault("density", []).append(100 * sum(estimated) / len(estimated))
    found = figures(find_figures("kitti2012"), *(judged for judged, _, _ in drawn))
    for row_name, values in means.items():
        assert found[row_name] == pytest.approx({key: sum(part) / 2 for key, part in values.items()}, rel=1e-12)


def one(truth: tuple[float, float], flow: tuple[float, float]) -> Judged:
    arrays = [np.array(vector, F).reshape(1, 1, 2) for vector in (flow, truth)]
    return Judged(Path("e.flo"), arrays[0], Path("t.png"), arrays[1])


def test_what_is_exactly_at_a_threshold() -> None:
    kitti2015, kitti2012 = find_figures("kitti2015"), find_figures("kitti2012")

    def fl(truth: tuple[float, float], flow: tuple[float, float]) -> float | None:
        return figures(kitti2015, one(truth, flow))["all"]["fl_all"]

    assert fl((0, 0), (3, 0)) == 0
    assert fl((0, 0), (3.0001, 0)) == 100  # divided by a length of 0
    assert fl((100, 0), (105, 0)) == 100  # 5 / 100 in float32 is more than 0.05 in float64
    assert fl((101, 0), (106, 0)) == 0
    assert fl((64, 0), (67.1875, 0)) == 0  # below 5 %
    assert figures(kitti2012, one((0, 0), (2, 0)))["all"]["out_2px"] == 0
    assert figures(kitti2012, one((0, 0), (2.0001, 0)))["all"]["out_2px"] == 100


def test_without_further_files_only_all_pixels_have_figures() -> None:
    found = figures(find_figures("kitti2015"), one((0, 0), (9, 0)))
    assert list(found) == ["all"]
    assert found["all"]["fl_bg"] is None
    assert found["all"]["fl_all"] == 100
