"""Finds the flow of each pair of consecutive frames in a folder of flows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..flows.folder import flow_files


class FlowSequence:
    """The flows of a sequence of frames.

    They belong to the frames whose names they have, as ``flowcli video --flow-dir`` writes them: that of the first
    frame of the pair. Flows that are not named after the frames are taken in natural order, one for each pair.

    Args:
        folder: the folder.

    Raises:
        InputError: it cannot be read, or has no flow files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = flow_files(folder)
        """The flow files in natural order, by name without suffix."""
        if not self.files:
            raise InputError(
                f"no flow files in {folder}; it must contain flows such as .flo, one for each pair of frames"
            )
        self._in_order = list(self.files.items())
        self._is_named: bool | None = None

    def check(self, names: Sequence[str]) -> None:
        """Check that every pair has its flow, where the frames are known in advance.

        Args:
            names: the names of the frames.

        Raises:
            InputError: a flow is missing, or flows that have no names are more than pairs.
        """
        pairs = list(itertools.pairwise(names))
        missing = []
        for number, (first, second) in enumerate(pairs):
            try:
                self.of(number, first, second)
            except InputError as error:
                missing.append(error)
        if missing:
            more = f"; {len(missing) - 1} more are missing" if len(missing) > 1 else ""
            raise InputError(missing[0].message + more)
        if pairs:
            self.check_used_up(len(pairs))

    def of(self, number: int, first: str, second: str) -> tuple[str, Path]:
        """The flow of a pair.

        Args:
            number: the number of the pair, from 0; the first one tells whether flows are named after the frames.
            first: the name of its first frame.
            second: the name of its second frame.

        Returns:
            The name of the flow, and its file.

        Raises:
            InputError: it is missing.
        """
        if self._is_named is None or number == 0:
            self._is_named = first in self.files or second in self.files or _are_numbers([first, *self.files])
        if self._is_named:
            if first not in self.files:
                raise InputError(f"the flow of frame {first} is missing in {self.folder}")
            return first, self.files[first]
        if number >= len(self.files):
            raise InputError(
                f"{self.folder} has {len(self.files)} flows, which are taken in order, since they are not named after "
                f"the frames; the flow of frames {first} and {second} is missing"
            )
        return self._in_order[number]

    def check_used_up(self, pairs: int) -> None:
        """Raise ``InputError`` if flows that are taken in order are more than the pairs: they belong to others."""
        if not self._is_named and len(self.files) > pairs:
            raise InputError(
                f"{self.folder} has {len(self.files)} flows for {pairs} pairs of frames; flows that are not named "
                "after the frames are taken in order, so there must be one for each pair"
            )


def _are_numbers(names: Sequence[str]) -> bool:
    """Whether all are numbers of frames, as frames of a video are named."""
    return all(re.fullmatch(r"[0-9]{6,}", name) for name in names)
