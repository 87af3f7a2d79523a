"""Finds the items of a batch in a folder: pairs of the frames of each subfolder, and videos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import InputError
from ..frames.files import is_frame, is_video, natural_key, oddities
from ..places import identity
from ..storage import why
from .flow_folder import FlowFiles
from .manifest import with_suffix
from .names import Named, check_distinct
from .pairing import IndexPair, Pairing, Plan
from .tasks import Item, Task, VideoTask, made_from


def folder_tasks(
    folder: Path,
    suffix: str,
    exclude: Path,
    on_note: Callable[[str], None] | None = None,
    files: FlowFiles = FlowFiles(),
) -> Iterator[Item]:
    """Pair the frames of a folder, and of each of its subfolders separately, in natural order; videos are items, too.

    Args:
        folder: the folder to search.
        suffix: the suffix of the outputs, which are named after frame 1 of each pair.
        exclude: a subfolder that is not searched: the batch's output folder.
        on_note: called with what a user may not know of the frames, for the first folder of which there is something.
        files: which frames are paired (consecutive ones by default), and the names of their flow.

    Yields:
        The tasks.

    Raises:
        InputError: no folder contains two frames or a video, or a folder cannot be read.
    """
    count = 0
    notes: list[str] = []
    for frames, videos in _folders(folder, identity(exclude)):
        if not notes and on_note is not None:
            notes = oddities(frames)
            for note in notes:
                on_note(note)
        try:
            paired = _paired(frames, folder, suffix, files)
        except InputError as error:  # which is that folder's own
            yield Task(count, None, None, origin=str(frames[0].parent), error=error)
            count += 1
            paired = ()
        for pair, out in paired:
            frame1, frame2 = frames[pair.first], frames[pair.second]
            origin = str(frame1) if files.pairing == Pairing() else f"{frame1} -> {frame2}, {out.name}"
            made = made_from(frame1, frame2)
            yield Task(count, frame1, frame2, out, origin, made_from=made, is_zero=pair.is_zero)
            count += 1
        for video in videos:
            yield VideoTask(count, video, below=video.parent.relative_to(folder), origin=str(video))
            count += 1
    if not count:
        raise InputError(
            f"no pairs in {folder}; it, or one of its subfolders, must contain at least two frames, or a video"
        )


def _paired(frames: list[Path], folder: Path, suffix: str, files: FlowFiles) -> Iterable[tuple[IndexPair, Path]]:
    """The pairs of a folder's frames, with the names of their flow relative to ``folder``, the folder of the batch.

    Raises:
        InputError: there are too few frames.
        UsageError: two outputs would have the same name.
    """
    if len(frames) < 2:
        return ()
    anchor = files.pairing.anchor
    files.pairing.check_count(len(frames), frames[0].parent)
    if anchor is not None and anchor >= len(frames):
        raise InputError(f"{frames[0].parent} has no frame {anchor}, only {len(frames)}; choose another reference")
    unique = len({frame.stem for frame in frames}) == len(frames)
    stems = [frame.stem if unique else f"{number:06d}" for number, frame in enumerate(frames)]
    if files != FlowFiles(files.flow_format):
        check_distinct(files.named(list(enumerate(stems)), anchor))
    return _named_pairs(frames, stems, frames[0].parent.relative_to(folder), suffix, files)


def _named_pairs(
    frames: list[Path], stems: list[str], below: Path, suffix: str, files: FlowFiles
) -> Iterator[tuple[IndexPair, Path]]:
    for index, pair in enumerate(Plan(files.pairing, files.pairing.anchor).of(len(frames))):
        frame = frames[pair.frame]
        if files.names is None and files.pairing.single_gap is not None:  # named after the frame
            yield pair, with_suffix(below / (frame.stem if frame.stem in stems else frame.name), suffix)
        else:
            named = Named(pair.frame, pair.second, pair.gap, stems[pair.frame], stems[pair.second], index)
            yield pair, below / files.name(named)


def _folders(folder: Path, exclude: str) -> Iterator[tuple[list[Path], list[Path]]]:
    """The frames and the videos of ``folder`` and of each subfolder, in natural order.

    Links to folders are followed once.
    """
    seen: set[str] = set()

    def visit(place: Path) -> Iterator[tuple[list[Path], list[Path]]]:
        real = identity(place)
        if real in seen or (real == exclude and place != folder):
            return
        seen.add(real)
        try:
            entries = sorted((entry for entry in place.iterdir() if not entry.name.startswith(".")), key=natural_key)
        except OSError as error:
            raise InputError(f"cannot read {place}: {why(error)}") from error
        frames, videos = (
            [entry for entry in entries if counts(entry) and not entry.is_dir()] for counts in (is_frame, is_video)
        )
        yield frames, videos
        for entry in entries:
            if entry.is_dir():
                yield from visit(entry)

    return visit(folder)
