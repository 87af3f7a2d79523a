"""Pictures of the errors of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..arrays import Flow
from ..draw.error_map import error_map as draw_errors
from ..frames.images import write_image
from ..storage import check_outputs, check_suffix
from .comparison import Comparison, files_of


class ErrorMaps:
    """Writes pictures of the errors.

    Args:
        target: a folder, or a ``.png`` for a single comparison.
        comparisons: all comparisons that will be drawn.
        is_folder: whether ``target`` is a folder.
        force: whether to overwrite existing pictures.

    Raises:
        UsageError: a picture exists and ``force`` is false, or is an input.
        OutputError: a picture cannot be written.
    """

    def __init__(self, target: Path, comparisons: Sequence[Comparison], *, is_folder: bool, force: bool) -> None:
        self._target = target
        self._is_folder = is_folder
        if not is_folder:
            check_suffix(target, [".png"])
        targets = [self.path(comparison) for comparison in comparisons]
        check_outputs(targets, force=force, inputs=files_of(comparisons))

    def path(self, comparison: Comparison) -> Path:
        """The path of a comparison's picture."""
        return self._target / f"{comparison.name}.png" if self._is_folder else self._target

    def draw(self, comparison: Comparison, flow: Flow, truth: Flow) -> Path:
        """Write the picture of a comparison; see :func:`flowcli.draw.error_map.error_map`.

        Args:
            comparison: what was compared.
            flow: the estimated flow, ``(H, W, 2)`` float32 in pixels.
            truth: the true flow, ``(H, W, 2)`` float32 in pixels.

        Returns:
            The path of the picture.

        Raises:
            OutputError: the picture cannot be written.
        """
        path = self.path(comparison)
        write_image(path, draw_errors(flow, truth))
        return path
