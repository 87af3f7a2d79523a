"""Small data sets in the layouts of their authors: two scenes, tiny frames, true flow with unknown pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from flowcli import write_flow
from flowcli.arrays import Flow
from flowcli.frames.images import write_image

HEIGHT, WIDTH = 32, 48

Layout = Callable[[Path], None]


def frame(path: Path, seed: int = 0) -> None:
    """A smooth random frame."""
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    write_image(path, cv2.normalize(smooth, smooth, 0, 255, cv2.NORM_MINMAX).astype(np.uint8))


def truth(scale: int = 1, seed: int = 0) -> Flow:
    """True flow, unknown in a corner."""
    flow = np.random.default_rng(seed).normal(0, 2, (scale * HEIGHT, scale * WIDTH, 2)).astype(np.float32)
    flow[:2, :3] = np.nan
    return flow


def mask(path: Path, scale: int = 1, seed: int = 0) -> None:
    """A black and white picture."""
    marks = np.random.default_rng(seed).random((scale * HEIGHT, scale * WIDTH)) < 0.3
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), marks.astype(np.uint8) * 255)


def middlebury(root: Path) -> None:
    for number, scene in enumerate(("Army", "Venus")):
        for index in (10, 11):
            frame(root / f"other-data/{scene}/frame{index}.png", number)
            frame(root / f"eval-data/{scene}/frame{index}.png", number)
        write_flow(root / f"other-gt-flow/{scene}/flow10.flo", truth(seed=number))
    mask(root / "other-gt-flow/Venus/disc.png")


def sintel(root: Path) -> None:
    for scene in ("alley_1", "bamboo_2"):
        for number in (1, 2, 3):
            for rendering in ("clean", "final"):
                frame(root / f"training/{rendering}/{scene}/frame_{number:04d}.png", number)
                frame(root / f"test/{rendering}/{scene}/frame_{number:04d}.png", number)
            if number < 3:
                write_flow(root / f"training/flow/{scene}/frame_{number:04d}.flo", truth(seed=number))
                for kind in ("occlusions", "invalid"):
                    mask(root / f"training/{kind}/{scene}/frame_{number:04d}.png", seed=number)


def kitti2015(root: Path, images: str = "image_2") -> None:
    for scene in ("000000", "000001"):
        for index in (10, 11):
            for part in ("training", "testing"):
                frame(root / f"{part}/{images}/{scene}_{index}.png", index)
        for kind in ("flow_occ", "flow_noc"):
            write_flow(root / f"training/{kind}/{scene}_10.png", truth(), flow_format="kitti")
        mask(root / f"training/obj_map/{scene}_10.png")


def kitti2012(root: Path) -> None:
    kitti2015(root, "colored_0")


def spring(root: Path) -> None:
    for scene in ("0001", "0003"):
        for side in ("left", "right"):
            for number in (1, 2, 3):
                for part in ("train", "test"):
                    frame(root / f"{part}/{scene}/frame_{side}/frame_{side}_{number:04d}.png", number)
            for direction, numbers in (("FW", (1, 2)), ("BW", (2, 3))):
                for number in numbers:
                    name = f"{direction}_{side}"
                    base = root / "train" / scene
                    write_flow(base / f"flow_{name}/flow_{name}_{number:04d}.flo5", truth(2, number))
                    mask(base / f"maps/detailmap_flow_{name}/detailmap_flow_{name}_{number:04d}.png")
                    mask(base / f"maps/matchmap_flow_{name}/matchmap_flow_{name}_{number:04d}.png")
                    mask(base / f"maps/rigidmap_{name}/rigidmap_{name}_{number:04d}.png", 2)
            for number in (1, 2, 3):
                mask(root / f"train/{scene}/maps/skymap_{side}/skymap_{side}_{number:04d}.png", 2)


def hd1k(root: Path) -> None:
    for scene in ("000000", "000001"):
        for number in (5, 6, 7):
            frame(root / f"hd1k_input/image_2/{scene}_{number:04d}.png", number)
            write_flow(root / f"hd1k_flow_gt/flow_occ/{scene}_{number:04d}.png", truth(), flow_format="kitti")
        for index in (10, 11):
            frame(root / f"hd1k_challenge/image_2/{scene}_{index}.png", index)


def flyingchairs(root: Path) -> None:
    for number in (1, 2, 3):
        for index in (1, 2):
            frame(root / f"data/{number:05d}_img{index}.ppm", index)
        write_flow(root / f"data/{number:05d}_flow.flo", truth(seed=number))
    (root / "FlyingChairs_train_val.txt").write_text("1\n2\n1\n")


def _scene_flow(root: Path, scene: str, first: int) -> None:
    for side in ("left", "right"):
        for number in (first, first + 1):
            for rendering in ("clean", "final"):
                frame(root / f"frames_{rendering}pass/{scene}/{side}/{number:04d}.png", number)
            for direction, word in (("into_future", "Future"), ("into_past", "Past")):
                name = f"OpticalFlowInto{word}_{number:04d}_{side[0].upper()}.pfm"
                write_flow(root / f"optical_flow/{scene}/{direction}/{side}/{name}", truth(seed=number))


def flyingthings3d(root: Path) -> None:
    for part in ("TRAIN/A/0000", "TEST/B/0001"):
        _scene_flow(root, part, 6)


def monkaa(root: Path) -> None:
    for scene in ("eating_x2", "family_x2"):
        _scene_flow(root, scene, 0)


def driving(root: Path) -> None:
    for scene in ("15mm_focallength/scene_forwards/fast", "35mm_focallength/scene_backwards/slow"):
        _scene_flow(root, scene, 1)


def viper(root: Path) -> None:
    for part in ("train", "val", "test"):
        for scene in ("001", "002"):
            for number in (1, 2, 3):
                frame(root / f"{part}/img/{scene}/{scene}_{number:05d}.jpg", number)
                if part != "test":
                    path = root / f"{part}/flow/{scene}/{scene}_{number:05d}.npz"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    flow = truth(seed=number).astype(np.float16)
                    np.savez_compressed(path, u=flow[..., 0], v=flow[..., 1])
    (root / "flow_frames.txt").write_text("001_00001\n002_00002\n")


def tartanair(root: Path) -> None:
    """Version 1 and version 2 beside each other."""
    first, second = root / "abandonedfactory/Easy/P001", root / "ocean/Data_hard/P002"
    for number in (0, 1, 2):
        frame(first / f"image_left/{number:06d}_left.png", number)
        frame(second / f"image_lcam_front/{number:06d}_lcam_front.png", number)
    for number in (0, 1):
        name = f"{number:06d}_{number + 1:06d}"
        flow = np.nan_to_num(truth(seed=number))
        masked = np.isnan(truth(seed=number)[..., 0]) * np.uint8(100)
        (first / "flow").mkdir(exist_ok=True)
        np.save(first / f"flow/{name}_flow.npy", flow)
        np.save(first / f"flow/{name}_mask.npy", masked)
        stored = np.dstack([flow * 64 + 32768, masked]).astype(np.uint16)
        (second / "flow_lcam_front").mkdir(exist_ok=True)
        assert cv2.imwrite(str(second / f"flow_lcam_front/{name}_flow.png"), stored)


LAYOUTS: dict[str, Layout] = {
    "middlebury": middlebury,
    "sintel": sintel,
    "kitti": kitti2015,
    "kitti2015": kitti2015,
    "kitti2012": kitti2012,
    "spring": spring,
    "hd1k": hd1k,
    "flyingchairs": flyingchairs,
    "flyingthings3d": flyingthings3d,
    "monkaa": monkaa,
    "driving": driving,
    "viper": viper,
    "tartanair": tartanair,
}
