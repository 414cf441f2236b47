"""LR | HR | truth | SR image and mask of several runs, each photo with a zoomed part below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from .panels import ERROR_COLORS, error_map

CELL_INCHES = 1.7
ZOOM = 4
FRAME = '#ffd54a'


@dataclass
class ComparedRun:
    """One run's prediction of a photo, at the size of the true mask.

    Attributes:
        mask: (H, W) bool.
        sr_image: (H, W, 3) RGB in [0, 1], or None.
        note: Shown above the mask, such as its IoU.
    """

    mask: NDArray[np.bool_]
    sr_image: NDArray[np.floating] | None = None
    note: str = ''


@dataclass
class ComparedPhoto:
    """A photo, its true mask, and the prediction of each run.

    Attributes:
        name: Shown beside the row.
        target: True labels (H, W): 0, 1, and 255 for unknown pixels.
        lr_image: LR input (h, w, 3) RGB in [0, 1].
        hr_image: HR image (H, W, 3) RGB in [0, 1], or None.
        runs: Predictions by the run's name.
    """

    name: str
    target: NDArray[np.integer]
    lr_image: NDArray[np.floating]
    hr_image: NDArray[np.floating] | None = None
    runs: dict[str, ComparedRun] = field(default_factory=dict)


def draw_comparison(photos: Sequence[ComparedPhoto], zoom: int = ZOOM, dpi: int = 110) -> NDArray[np.uint8]:
    """Draw photos in rows: LR, HR, truth, then SR image and errors of every run.

    Below each row stands the part on which the runs disagree most, or which differs most from the truth
    if they agree, enlarged; a frame shows where it is.

    Args:
        photos: At least one; all with the same runs.
        zoom: Side of the photo over side of the enlarged part; 1 leaves the second row out.
        dpi: Pixels per inch.

    Returns:
        RGB picture, (H, W, 3) uint8.

    Raises:
        ValueError: There are no photos, or photos have different runs.
    """
    if not photos or any(list(photo.runs) != list(photos[0].runs) for photo in photos):
        raise ValueError(
            'draw_comparison needs at least one photo, and the same runs for each; got '
            f'{[list(photo.runs) for photo in photos]}'
        )
    titles = [title for title in _titles(photos[0]) if any(title in _cells(photo) for photo in photos)]
    rows = len(photos) * (2 if zoom > 1 else 1)
    ratio = float(np.clip(np.divide(*photos[0].target.shape), 0.4, 2.5))
    figure = Figure((CELL_INCHES * len(titles), CELL_INCHES * ratio * rows + 0.75), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(rows, len(titles), squeeze=False)
    for index, photo in enumerate(photos):
        window = most_disputed(photo, zoom) if zoom > 1 else None
        top = axes[index * (rows // len(photos))]
        _draw_row(top, titles, photo, index == 0, window)
        if window is not None:
            _draw_zoom(axes[2 * index + 1], titles, photo, window)
    _finish(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def most_disputed(photo: ComparedPhoto, zoom: int = ZOOM) -> tuple[slice, slice]:
    """The part, 1 / ``zoom`` of each side, in which runs disagree most or, if they agree, err most.

    Example:
        >>> target = np.zeros((8, 8), int)
        >>> masks = [np.zeros((8, 8), bool), np.zeros((8, 8), bool)]
        >>> masks[1][6, 6] = True
        >>> runs = {str(index): ComparedRun(mask) for index, mask in enumerate(masks)}
        >>> rows, columns = most_disputed(ComparedPhoto('a', target, np.zeros((2, 2, 3)), runs=runs))
        >>> rows.start <= 6 < rows.stop, columns.start <= 6 < columns.stop
        (True, True)
    """
    masks = np.stack([run.mask for run in photo.runs.values()])
    known = photo.target != 255
    dispute = (masks.any(0) & ~masks.all(0) & known).astype(np.float64)
    if not dispute.any():
        dispute = ((masks != (photo.target == 1)) & known).mean(0)
    if not dispute.any():
        dispute = (photo.target == 1).astype(np.float64)
    size = [max(side // zoom, 1) for side in dispute.shape]
    found = cv2.boxFilter(dispute, -1, tuple(size[::-1]), normalize=False, borderType=cv2.BORDER_CONSTANT)
    row, column = np.unravel_index(np.argmax(found), found.shape)
    starts = [
        int(np.clip(middle - part // 2, 0, side - part))
        for middle, part, side in zip((row, column), size, dispute.shape, strict=True)
    ]
    return tuple(slice(start, start + part) for start, part in zip(starts, size, strict=True))


def _titles(photo: ComparedPhoto) -> list[str]:
    return ['LR', 'HR', 'Truth', *(title for name in photo.runs for title in (f'{name}: SR', name))]


def _cells(photo: ComparedPhoto) -> dict[str, NDArray]:
    """Pictures by column title."""
    cells = {'LR': photo.lr_image, 'Truth': error_map(photo.target, photo.target)}
    if photo.hr_image is not None:
        cells['HR'] = photo.hr_image
    for name, run in photo.runs.items():
        if run.sr_image is not None:
            cells[f'{name}: SR'] = run.sr_image
        cells[name] = error_map(run.mask.astype(np.uint8), photo.target)
    return cells


def _draw_row(axes, titles: list[str], photo: ComparedPhoto, with_titles: bool, window) -> None:
    cells = _cells(photo)
    for axis, title in zip(axes, titles, strict=True):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        note = photo.runs[title].note if title in photo.runs else ''
        heading = '\n'.join(text for text in (title if with_titles else '', note) if text)
        axis.set_title(heading, fontsize=8, pad=3)
        if title in cells:
            _show(axis, cells[title])
            if window is not None:
                _frame(axis, cells[title], photo, window)
    axes[0].set_ylabel(photo.name, fontsize=7)


def _draw_zoom(axes, titles: list[str], photo: ComparedPhoto, window: tuple[slice, slice]) -> None:
    cells = _cells(photo)
    for axis, title in zip(axes, titles, strict=True):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(color=FRAME, linewidth=1.5)
        if title not in cells:
            axis.set_axis_off()
            continue
        top, bottom, left, right = _in_pixels_of(cells[title], photo, window)
        axis.imshow(
            np.clip(cells[title], 0, 255 if cells[title].dtype == np.uint8 else 1), interpolation='nearest'
        )
        axis.set(xlim=(left - 0.5, right - 0.5), ylim=(bottom - 0.5, top - 0.5))


def _show(axis, picture: NDArray) -> None:
    axis.imshow(picture if picture.dtype == np.uint8 else np.clip(picture, 0, 1), interpolation='nearest')


def _frame(axis, picture: NDArray, photo: ComparedPhoto, window: tuple[slice, slice]) -> None:
    top, bottom, left, right = _in_pixels_of(picture, photo, window)
    axis.add_patch(
        Rectangle(
            (left - 0.5, top - 0.5), right - left, bottom - top, fill=False, edgecolor=FRAME, linewidth=1
        )
    )


def _in_pixels_of(picture: NDArray, photo: ComparedPhoto, window: tuple[slice, slice]) -> tuple[float, ...]:
    """Top, bottom, left, right of a window of the mask in a picture of perhaps another size."""
    scale = [side / full for side, full in zip(picture.shape[:2], photo.target.shape, strict=True)]
    rows, columns = window
    return rows.start * scale[0], rows.stop * scale[0], columns.start * scale[1], columns.stop * scale[1]


def _finish(figure: Figure) -> None:
    handles = [
        Patch(facecolor=np.array(color) / 255, edgecolor='gray', label=name)
        for name, color in ERROR_COLORS.items()
        if name != 'ignored'
    ]
    figure.legend(handles=handles, loc='lower right', ncols=len(handles), fontsize=7, frameon=False)
    height = figure.get_figheight()
    figure.subplots_adjust(0.02, 0.27 / height, 0.995, 1 - 0.42 / height, wspace=0.03, hspace=0.13)
