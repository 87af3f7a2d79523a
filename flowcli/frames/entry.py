"""Where the decoding of a video can begin in its middle, so that every frame keeps its number and its time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


@dataclass(frozen=True)
class Entry:
    """A key frame. Plain data."""

    number: int
    """Its number in the video, from 0."""

    stamp: int
    """Its time stamp, in the stream's unit."""

    opening: int
    """The time stamp of the first frame."""


class Entries:
    """The key frames of a video.

    Args:
        stamps: the time stamps of all frames, in order.
        keys: those of the key frames, in order.
    """

    def __init__(self, stamps: list[int], keys: list[int]) -> None:
        self._stamps, self._keys = stamps, keys

    def __len__(self) -> int:
        """How many frames the video has."""
        return len(self._stamps)

    def before(self, number: int) -> Entry | None:
        """The last key frame up to a frame; ``None`` if decoding has to begin at the beginning."""
        place = bisect.bisect_right(self._keys, self._stamps[number]) - 1
        if place < 0:
            return None
        stamp = self._keys[place]
        first = bisect.bisect_left(self._stamps, stamp)
        return Entry(first, stamp, self._stamps[0]) if first else None


def find_entries(container: InputContainer, stream: VideoStream) -> Entries | None:
    """Find the key frames of a video, by reading all of it without decoding it.

    Returns:
        The key frames; ``None`` where time stamps do not tell which frame is which.
    """
    stamps, keys = [], []
    for packet in container.demux(stream):
        if not packet.size:
            continue
        if packet.pts is None or packet.is_discard or packet.is_corrupt:
            return None
        stamps.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)
    if len(set(stamps)) < len(stamps):
        return None
    return Entries(sorted(stamps), sorted(keys))
