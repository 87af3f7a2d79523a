"""Items on their way through the workers of a cluster."""

from __future__ import annotations

import itertools
import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .crew import Crew, Member, pinned, reason_of, wait
from .options import Lost
from .slices import Slice, SliceQueue

_OUTSTANDING = 2  # slices of a worker: one that it does, and one so that it need not wait
_POLL_SECONDS = 0.5
_INQUEST_SECONDS = 20.0  # for a node to show that it is alive


@dataclass(frozen=True)
class _Inquest:
    """Whether a node has outlived a slice that was lost on it."""

    piece: Slice
    reason: str
    since: float


class Mapping:
    """One pass of items through the workers.

    Args:
        crew: the workers.
        queue: the items.
    """

    def __init__(self, crew: Crew, queue: SliceQueue) -> None:
        self._crew, self._queue = crew, queue
        self._inquests: dict[Any, _Inquest] = {}
        for member in crew.members:
            member.slices.clear()  # of a pass that was left in the middle

    def run(self) -> Iterator[tuple[Any, Any]]:
        """Yield each item with its reply, or with why it has none."""
        crew = self._crew
        while True:
            for piece in crew.tend():
                self._queue.put_back(piece)
            self._hand_out()
            given = {reference: member for member in crew.members for reference in member.slices}
            if self._queue.is_empty and not given and not self._inquests:
                return
            starting = {member.hello: member for member in crew.members if member.hello is not None}
            came = wait([*given, *starting, *self._inquests], _POLL_SECONDS)
            for reference, member in starting.items():
                if reference in came:
                    crew.greet(member)
            for reference, member in given.items():  # those of a worker in order
                if reference in came and reference in member.slices:
                    yield from self._take(member, reference)
            for reference in list(self._inquests):
                yield from self._conclude(reference, has_come=reference in came)

    def _hand_out(self) -> None:
        """Give each worker that has room what there is for it."""
        ready = [member for member in self._crew.members if member.node is not None]
        for member in ready:
            while len(member.slices) < _OUTSTANDING and not any(each.is_alone for each in member.slices.values()):
                piece = self._queue.take(member.pace.size, len(ready), is_idle=not member.slices)
                if piece is None:
                    break
                run = member.actor.run.options(max_task_retries=0) if piece.is_alone else member.actor.run
                member.slices[run.remote(pickle.dumps(piece.items))] = piece

    def _take(self, member: Member, reference: Any) -> Iterator[tuple[Any, Any]]:
        import ray

        is_first = next(iter(member.slices)) is reference
        piece = member.slices.pop(reference)
        try:
            node, found, replies = ray.get(reference)
        except ray.exceptions.RayTaskError:
            raise
        except ray.exceptions.RayError as error:
            self._lose(member, piece, error, is_first=is_first)
            return
        complaint = self._crew.complaint(node, found)
        if complaint is not None:  # Ray has made it anew, on a node that cannot do the work
            self._queue.put_back(piece)
            for other in self._crew.turn_away(member, node, complaint):
                self._queue.put_back(other)
            return
        if replies.error is not None:
            raise replies.error
        member.node = node
        piece.is_shielded = False
        member.pace.note(len(piece.items), replies.seconds, len(replies.data))
        yield from zip(piece.items, pickle.loads(replies.data), strict=True)

    def _lose(self, member: Member, piece: Slice, error: BaseException, *, is_first: bool) -> None:
        """Find out who is to blame for the end of a process: the slice it was doing, unless its node has ended too."""
        import ray

        reason, node = reason_of(error), member.node
        if is_first and not piece.is_shielded and node is not None:
            for other in member.slices.values():
                other.is_shielded = True
            self._inquests[pinned(_nothing, node).remote()] = _Inquest(piece, reason, time.monotonic())
        else:
            self._queue.put_back(piece)
        if isinstance(error, ray.exceptions.ActorDiedError):  # for good; else Ray makes it anew
            for other in self._crew.dismiss(member):
                self._queue.put_back(other)

    def _conclude(self, reference: Any, *, has_come: bool) -> Iterator[tuple[Any, Any]]:
        import ray

        inquest = self._inquests[reference]
        if not has_come and time.monotonic() - inquest.since < _INQUEST_SECONDS:
            return
        del self._inquests[reference]
        try:
            if not has_come:
                raise ray.exceptions.GetTimeoutError
            ray.get(reference)
        except ray.exceptions.RayError:  # the node has gone too
            self._queue.put_back(inquest.piece)
        else:
            if inquest.piece.is_alone:
                yield from zip(inquest.piece.items, itertools.repeat(Lost(inquest.reason)), strict=False)
            else:
                self._queue.suspect(inquest.piece)


def _nothing() -> None:
    """Show that the node is alive."""
