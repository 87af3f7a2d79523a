"""Finding the samples of data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowcli import write_flow
from flowcli.datasets import dataset_names, find_dataset
from flowcli.datasets.shared.dataset import Sample
from flowcli.datasets.shared.search import SampleChoice
from flowcli.datasets.shared.search import find_samples as search
from flowcli.errors import InputError
from flowcli.frames.images import write_image
from flowcli.scene import Scene


def find_samples(name: str, root: Path, choice: SampleChoice = SampleChoice()) -> list[Sample]:
    return search(find_dataset(name), root, choice)


def test_the_layout_in_which_middlebury_is_published(tmp_path: Path, scene: Scene) -> None:
    for index, frame in ((10, scene.frame1), (11, scene.frame2)):
        write_image(tmp_path / f"other-data/Venus/frame{index}.png", frame)
    write_flow(tmp_path / "other-gt-flow/Venus/flow10.flo", scene.flow)
    (pair,) = find_samples("middlebury", tmp_path)
    assert pair.frame2 == tmp_path / "other-data/Venus/frame11.png"


def test_a_scene_that_is_there_twice(tmp_path: Path, scene: Scene) -> None:
    for folder in ("a/Venus", "b/Venus"):
        for index, frame in ((10, scene.frame1), (11, scene.frame2)):
            write_image(tmp_path / folder / f"frame{index}.png", frame)
        write_flow(tmp_path / folder / "flow10.flo", scene.flow)
    with pytest.raises(InputError, match="Venus exists twice"):
        find_samples("middlebury", tmp_path)


@pytest.mark.parametrize("name", dataset_names())
def test_what_is_no_data_set(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"does not look like {name}: .* is missing"):
        find_samples(name, tmp_path)
