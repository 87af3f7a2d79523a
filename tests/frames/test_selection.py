from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowcli import load_estimator, read_flow
from flowcli.draw.style import Style
from flowcli.errors import InputError, UsageError
from flowcli.frames.images import write_image
from flowcli.frames.opening import open_source
from flowcli.frames.selection import Selection
from flowcli.results import PairResult
from flowcli.run.video import estimate_video
from flowcli.run.video_outputs import VideoOutputs
from support.videos import moving_frames, write_video

PLACES = st.one_of(st.integers(0, 14), st.fractions(0, 14, max_denominator=6).map(lambda n: n / 12))


def expected_indices(
    times: list[Fraction], start: int | Fraction, end: int | Fraction | None, stride: int
) -> list[int]:
    """In the plainest words: those between the bounds, and of them every so many."""

    def reached(place: int | Fraction, index: int) -> bool:
        return times[index] >= place if isinstance(place, Fraction) else index >= place

    between = [n for n in range(len(times)) if reached(start, n) and not (end is not None and reached(end, n))]
    return between[::stride]


@given(
    count=st.integers(1, 12),
    size=st.tuples(st.integers(13, 40), st.integers(13, 40)),
    stride=st.integers(1, 5),
    start=PLACES,
    end=st.none() | PLACES,
    as_video=st.booleans(),
)
@settings(max_examples=60)
def test_number_and_order_of_the_flows(
    count: int,
    size: tuple[int, int],
    stride: int,
    start: int | Fraction,
    end: int | Fraction | None,
    as_video: bool,
) -> None:
    try:
        selection = Selection(start, end, stride)
    except UsageError:
        assert end is not None
        return
    rate = Fraction(12)
    wanted = expected_indices([n / rate for n in range(count)], start, end, stride)
    with TemporaryDirectory() as place:
        folder = Path(place)
        frames = moving_frames(count, *size)
        if as_video:
            source = write_video(folder / "in.mp4", frames)
        else:
            source = folder / "in"
            for index, image in enumerate(frames):
                write_image(source / f"{index:06d}.png", image)
        opened = open_source(source, rate, selection)
        outputs = VideoOutputs(flow_dir=folder / "flows")
        seen: list[PairResult] = []
        estimator = load_estimator("dis")
        if len(wanted) < 2:
            with pytest.raises(InputError):
                estimate_video(estimator, opened, outputs)
            assert not list(folder.glob("flows/*.flo"))
            return
        if not as_video:
            assert opened.count == len(wanted)
        summary = estimate_video(estimator, opened, outputs, on_pair=seen.append)
        assert [pair.frame1 and pair.frame1.stem for pair in seen] == [f"{index:06d}" for index in wanted[:-1]]
        assert [pair.frame2 and pair.frame2.stem for pair in seen] == [f"{index:06d}" for index in wanted[1:]]
        assert summary.pairs == len(wanted) - 1
        assert seen[0].time == float(wanted[0] / rate)
        for first, second in itertools.pairwise(wanted):
            flow = read_flow(folder / "flows" / f"{first:06d}.flo")
            assert flow.shape == (*size, 2)
            if not as_video:
                np.testing.assert_array_equal(flow, estimator.estimate(frames[first], frames[second]))


def test_times_of_variable_rates_decide(tmp_path: Path) -> None:
    times = [Fraction(n, 600) for n in (0, 25, 31, 200, 600, 650)]
    source = write_video(tmp_path / "in.mp4", moving_frames(6), times=times)
    frames = list(open_source(source, selection=Selection(Fraction(31, 600), Fraction(1))).frames())
    assert [frame.name for frame in frames] == ["000002", "000003"]


def test_the_video_of_a_selection_starts_at_zero(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving_frames(12))
    opened = open_source(source, selection=Selection(3, 11, 2))
    estimate_video(load_estimator("dis"), opened, VideoOutputs(video=tmp_path / "out.mp4", style=Style(max_flow=9.0)))
    assert [frame.time for frame in open_source(tmp_path / "out.mp4").frames()] == [0, Fraction(2, 12), Fraction(4, 12)]


def test_samples_for_the_scale_come_from_the_selection(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving_frames(30))
    pairs = list(open_source(source, selection=Selection(10, 16, 4)).sample_pairs(8))
    expected = [frame.image for frame in open_source(source).frames()]
    assert pairs
    for first, second in pairs:
        index = next(n for n, frame in enumerate(expected) if (frame == first).all())
        assert 10 <= index < 12
        np.testing.assert_array_equal(second, expected[index + 4])


@pytest.mark.parametrize(
    ("start", "end", "stride"), [(5, 5, 1), (5, 3, 1), (Fraction(2), Fraction(1), 1), (0, Fraction(0), 1), (0, None, 0)]
)
def test_impossible_selections(start: int, end: int | None, stride: int) -> None:
    with pytest.raises(UsageError):
        Selection(start, end, stride)
