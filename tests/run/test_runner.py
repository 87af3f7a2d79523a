"""The runner's tasks and outcomes are plain data: a slice of them can be done by another process."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from flowcli import load_estimator, read_flow
from flowcli.errors import InputError
from flowcli.frames.images import write_image
from flowcli.results import BatchSummary, PairResult
from flowcli.run.batch import estimate_batch
from flowcli.run.batch_outputs import BatchOutputs
from flowcli.run.folder_tasks import folder_tasks
from flowcli.run.tasks import Outcome, Task
from support.videos import moving_frames


def do_slice(tasks: list[Task], outputs: BatchOutputs) -> tuple[BatchSummary, list[PairResult]]:
    results: list[PairResult] = []
    summary = estimate_batch(load_estimator("dis"), tasks, outputs, on_pair=results.append, wants_statistics=True)
    return summary, results


def test_slices_in_other_processes_are_the_whole(tmp_path: Path) -> None:
    for index, image in enumerate(moving_frames(7)):
        write_image(tmp_path / "in" / f"{index}.png", image)
    (tmp_path / "in" / "5.png").write_bytes(b"broken")
    outputs = BatchOutputs(tmp_path / "out")
    tasks = list(folder_tasks(tmp_path / "in", ".flo", outputs.folder))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(do_slice, [tasks[:3], tasks[3:]], [outputs, outputs], timeout=120))
    assert [(part.done, part.failed) for part, _ in parts] == [(3, 0), (1, 2)]
    results = [result for _, part in parts for result in part]
    assert [result.pair for result in results] == list(range(6))
    alone = load_estimator("dis")
    frames = moving_frames(7)
    for result in results[:4]:
        flow = read_flow(result.outputs[0])
        np.testing.assert_array_equal(flow, alone.estimate(frames[result.pair], frames[result.pair + 1]))
        assert result.flow is not None
        assert result.flow.u_max == float(flow[..., 0].max())


def test_errors_survive_the_way_between_processes() -> None:
    outcome = Outcome(Task(0, None, None), "failed", error=InputError("`stride` must be at least 1"))
    copy = pickle.loads(pickle.dumps(outcome))
    assert (str(copy.error), copy.result().error) == ("stride must be at least 1", "--stride must be at least 1")
