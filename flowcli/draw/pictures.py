"""Pictures of a part of a video, without loss, in one file: until the parts are joined."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..arrays import Frame
from ..frames.local import LocalFile
from ..frames.opencv import decode_frame, encode_image
from ..storage import atomic_output, output_errors


class PictureWriter:
    """Writes pictures like :class:`flowcli.draw.video_writer.VideoWriter`, but as they are.

    Args:
        archive: a new archive.
        name: its final name.
    """

    padded = False
    """Whether a row or column was repeated: never."""

    def __init__(self, archive: zipfile.ZipFile, name: Path) -> None:
        self._archive, self._name = archive, name
        self._count = 0
        self.pixel_aspect = Fraction(1)
        """The width of a pixel over its height."""

    def write(self, image: Frame, time: Fraction) -> None:
        """Append an ``(H, W, 3)`` uint8 RGB picture with its time in seconds; raises ``OutputError``."""
        with output_errors(self._name):
            self._archive.comment = str(self.pixel_aspect).encode()
            name = f"{self._count:08d} {time.numerator} {time.denominator}"
            self._archive.writestr(name, encode_image(image, ".png"))
        self._count += 1


@contextlib.contextmanager
def written_pictures(path: Path) -> Iterator[PictureWriter]:
    """Write pictures while the block runs; the file gets its name if the block ends well. Raises ``OutputError``."""
    with atomic_output(path) as temporary, output_errors(path), zipfile.ZipFile(temporary, "w") as archive:
        yield PictureWriter(archive, path)


def count_pictures(path: Path) -> int:
    """How many pictures a file has; errors as for :func:`read_pictures`."""
    local = LocalFile(path)
    with zipfile.ZipFile(local.path) as archive:
        return len(archive.namelist())


def read_pictures(path: Path) -> Iterator[tuple[Frame, Fraction, Fraction]]:
    """The pictures of a file, each with its time in seconds and the width of its pixels over their height.

    Raises:
        OSError, zipfile.BadZipFile: the file is missing or damaged.
    """
    local = LocalFile(path)
    with zipfile.ZipFile(local.path) as archive:
        aspect = Fraction(archive.comment.decode() or "1")
        for name in archive.namelist():
            _, numerator, denominator = name.split()
            yield (
                np.asarray(decode_frame(archive.read(name), path, as_stored=False), np.uint8),
                Fraction(int(numerator), int(denominator)),
                aspect,
            )
