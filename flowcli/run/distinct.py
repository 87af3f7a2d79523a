"""Finds items whose outputs are also those of another item, or overwrite an input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from pathlib import Path

from ..errors import UsageError
from .fingerprints import Fingerprints, Repeated
from .inputs import Inputs
from .tasks import Item, Task, VideoTask


class Distinct:
    """The items, with an error for each whose output is also the output of an earlier item, or an input.

    It keeps at most 32 bytes for each item, and nothing else of them.

    Args:
        items: the items. If their number is known, they can be gone through several times, and outputs are compared
            with the inputs of all of them, else with those so far.
        files: returns the files of an item's outputs.
        folder: returns what tells the folder that all of these are in, where that is known without naming them; items
            with the same in a row are compared with what is in that folder once.
    """

    def __init__(
        self,
        items: Iterable[Item],
        files: Callable[[Item], Iterable[Path]],
        folder: Callable[[Item], str | None] = lambda _: None,
    ) -> None:
        self._items = items
        self._files = files
        self._folder = folder
        self._are_known = isinstance(items, Sized)
        known = getattr(items, "inputs", None)
        self._inputs = known if isinstance(known, Inputs) else Inputs()
        for item in items if self._are_known and known is None else ():
            self._inputs.note(item)

    def __iter__(self) -> Iterator[Item]:
        """All items, in order."""
        outs = Fingerprints()
        origins: dict[str, str | None] | None = None
        folder, is_apart = None, False  # of the item before: whether no input can be in that folder
        for item in self._items:
            if not self._are_known:
                self._inputs.note(item)
            name = None if item.out is None else str(item.out)
            fault = None
            if name is not None and not outs.add(name):
                if origins is None:
                    origins = _first_origins(self._items) if self._are_known else {}
                earlier = origins.get(name, "an earlier line")
                fault = f"{name} is also the output of {earlier}; give each its own output"
            elif name is not None:
                before, folder = folder, self._folder(item)
                if folder is None or folder != before or not self._are_known:
                    is_apart = self._is_apart(item)
                file = None if is_apart else next((file for file in self._files(item) if file in self._inputs), None)
                if file is not None:
                    what = "a frame" if isinstance(item, Task) else "a video"
                    fault = f"{file} is {what}; choose another output folder"
            yield item if fault is None else _failed(item, UsageError(f"{item.origin}: {fault}"))

    def _is_apart(self, item: Item) -> bool:
        """Whether no input can be where an item's files are."""
        return not any(self._inputs.may_be_in(file.parent) for file in self._files(item))


def _failed(item: Item, error: UsageError) -> Item:
    if isinstance(item, VideoTask):
        return VideoTask(item.number, None, origin=item.origin, error=error)
    return Task(item.number, None, None, origin=item.origin, error=error)


def _first_origins(items: Iterable[Item]) -> dict[str, str | None]:
    """The first item of each output that several have."""
    repeated = Repeated()
    for item in items:
        if item.out is not None:
            repeated.add(str(item.out))
    origins: dict[str, str | None] = {}
    for item in items:
        if item.out is not None and str(item.out) in repeated:
            origins.setdefault(str(item.out), item.origin)
    return origins
