"""Videos that workers do in parts: what is still to be done of each, and the outcome of all parts together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .tasks import Completion, Part, VideoOutcome, VideoTask


@dataclass
class _Cut:
    """A video in parts."""

    task: VideoTask
    left: int
    outcome: VideoOutcome
    parts: tuple[Part, ...]
    failed: bool = False


class CutVideos:
    """The videos of a run that are done in parts.

    Args:
        are_shown: whether videos get flow videos.
    """

    def __init__(self, *, are_shown: bool) -> None:
        self._are_shown = are_shown
        self._cuts: dict[int, _Cut] = {}

    def take(self, task: VideoTask, outcome: VideoOutcome) -> tuple[list[VideoTask], VideoOutcome | None]:
        """Take an outcome.

        Args:
            task: what was done: a video, a part of one, or the joining of its parts.
            outcome: the outcome.

        Returns:
            What is to be done next; and the outcome of the whole video, if it is known.
        """
        if outcome.parts:
            self._cuts[task.number] = _Cut(task, len(outcome.parts), replace(outcome, parts=()), outcome.parts)
            return [replace(task, part=part) for part in outcome.parts], None
        cut = self._cuts.get(task.number)
        if cut is None:
            return [], outcome
        if task.whole is not None:  # its pairs are those of all parts again, as far as they are good
            done = min(outcome.pairs, cut.outcome.done + outcome.done)
            windows = cut.outcome.windows + outcome.windows
            del self._cuts[task.number]
            return [], replace(outcome, done=done, windows=windows)
        cut.outcome = _sum(cut.outcome, outcome, cut.task.selection.stride)
        if task.part is not None:
            cut.left -= 1
            cut.failed |= outcome.status == "failed"
            if cut.left:
                return [], None
            if cut.failed:  # the whole is done again in one piece, which says how far the video is good
                return [replace(cut.task, whole=_frames(cut.parts), parts=cut.parts)], None
            if self._are_shown and cut.outcome.status == "done":
                return [replace(cut.task, parts=cut.parts)], None
        del self._cuts[task.number]
        error, status = outcome.error, "failed" if outcome.status == "failed" else cut.outcome.status
        completion = None if error is not None else cut.outcome.completion
        return [], replace(cut.outcome, error=error, status=status, completion=completion)


def _frames(parts: tuple[Part, ...]) -> int:
    """How many frames the video seemed to have, at most."""
    return parts[-1].start + 2 * (parts[-1].start - parts[-2].start)


def _sum(all_before: VideoOutcome, outcome: VideoOutcome, stride: int) -> VideoOutcome:
    """The outcome of several parts."""
    return replace(
        all_before,
        status="done" if "done" in {all_before.status, outcome.status} else "skipped",
        pairs=all_before.pairs + outcome.pairs,
        done=all_before.done + outcome.done,
        windows=all_before.windows + outcome.windows,
        loss=all_before.loss or outcome.loss,
        largest_flow=max(all_before.largest_flow, outcome.largest_flow),
        max_flow=outcome.max_flow or all_before.max_flow,
        levels=outcome.levels or all_before.levels,
        size=outcome.size or all_before.size,
        completion=_merged(all_before.completion, outcome.completion, stride),
    )


def _merged(one: Completion | None, other: Completion | None, stride: int) -> Completion | None:
    """What is complete of a video of which two parts are."""
    if one is None or other is None:
        return one or other
    first = min(one.first, other.first)
    last = max(each.first + (each.frames - 1) * stride for each in (one, other))
    return replace(one, first=first, frames=(last - first) // stride + 1)
