"""LR | SR | HR | blur kernel | probability | errors, a row per image, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.image
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmengine.structures import BaseDataElement
from numpy.typing import NDArray

# Colours (RGB) of the error map; told apart by most colour-blind readers.
ERROR_COLORS = {
    'crack found': (255, 255, 255),
    'crack missed': (230, 97, 0),
    'false alarm': (64, 176, 255),
    'ignored': (96, 96, 96),
}
TITLES = ('LR input', 'SR', 'HR', 'Blur kernel', 'Crack probability', 'Errors')
CELL_INCHES = 2.2


def error_map(
    pred: NDArray[np.integer], target: NDArray[np.integer], foreground: int = 1, ignore_index: int = 255
) -> NDArray[np.uint8]:
    """Colour each pixel by how prediction and ground truth agree.

    Args:
        pred: Predicted labels, (H, W).
        target: True labels, (H, W).
        foreground: Label of the crack.
        ignore_index: Label of pixels that do not count.

    Returns:
        (H, W, 3) RGB: white where a crack was found, orange where missed, blue where a false alarm.

    Example:
        >>> import numpy as np
        >>> error_map(np.array([[1, 0]]), np.array([[1, 1]]))[0].tolist()
        [[255, 255, 255], [230, 97, 0]]
    """
    predicted, true = pred == foreground, target == foreground
    picture = np.zeros((*target.shape, 3), np.uint8)
    picture[predicted & true] = ERROR_COLORS['crack found']
    picture[~predicted & true] = ERROR_COLORS['crack missed']
    picture[predicted & ~true] = ERROR_COLORS['false alarm']
    picture[target == ignore_index] = ERROR_COLORS['ignored']
    return picture


def draw_panel(
    samples: Sequence[BaseDataElement], lr_images: Sequence[NDArray] | None = None, dpi: int = 100
) -> NDArray[np.uint8]:
    """Draw predictions of :class:`BlindSRSegmentor`, one row per sample.

    Columns that no sample has (HR image and errors of a photo without ground truth, the kernel of a
    network that estimates none) are left out. Where the true kernel is known it is drawn small beside
    the estimated one.

    Args:
        samples: Data samples after ``model.predict``.
        lr_images: LR inputs, (h, w, 3) RGB in [0, 1]; without them the LR column is left out.
        dpi: Pixels per inch of the drawing.

    Returns:
        RGB picture, (H, W, 3) uint8.

    Raises:
        ValueError: No samples, or another number of LR images.
    """
    if not samples or (lr_images is not None and len(lr_images) != len(samples)):
        raise ValueError(
            f'need at least one sample and as many LR images as samples, got {len(samples)} samples and '
            f'{"no" if lr_images is None else len(lr_images)} LR images'
        )
    rows = [
        _cells(sample, None if lr_images is None else lr_images[index])
        for index, sample in enumerate(samples)
    ]
    columns = [title for title in TITLES if any(title in row for row in rows)]
    ratio = _aspect(rows[0])
    figure = Figure((CELL_INCHES * len(columns), CELL_INCHES * ratio * len(rows) + 0.55), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for row, row_axes in zip(rows, axes, strict=True):
        for title, axis in zip(columns, row_axes, strict=True):
            _draw_cell(axis, row.get(title), title if row is rows[0] else None)
    if 'Errors' in columns:
        _draw_legend(figure)
    legend = 0.3 / figure.get_figheight()
    figure.subplots_adjust(0.005, legend, 0.995, 1 - legend, wspace=0.02, hspace=0.03)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_panel(
    path: str | Path, samples: Sequence[BaseDataElement], lr_images: Sequence[NDArray] | None = None
) -> None:
    """Write :func:`draw_panel`'s picture to ``path``, whose folder is made if need be."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    matplotlib.image.imsave(path, draw_panel(samples, lr_images))


def _cells(sample: BaseDataElement, lr_image: NDArray | None) -> dict[str, tuple[str, NDArray]]:
    """What to draw of one sample: column title -> (how, array)."""
    cells = {}
    if lr_image is not None:
        cells['LR input'] = ('image', np.clip(lr_image, 0, 1))
    for title, field in (('SR', 'sr_img'), ('HR', 'gt_hr_img')):
        if field in sample:
            cells[title] = ('image', np.clip(_array(sample, field).transpose(1, 2, 0), 0, 1))
    if 'blur_kernel' in sample:
        true = _array(sample, 'gt_blur_kernel')[0] if 'gt_blur_kernel' in sample else None
        cells['Blur kernel'] = ('kernel', (_array(sample, 'blur_kernel')[0], true))
    if 'seg_prob' in sample:
        cells['Crack probability'] = ('probability', _array(sample, 'seg_prob')[-1])
    if 'pred_sem_seg' in sample and 'gt_sem_seg' in sample:
        pred, target = _array(sample, 'pred_sem_seg')[0], _array(sample, 'gt_sem_seg')[0]
        cells['Errors'] = ('image', error_map(pred, target))
    return cells


def _array(sample: BaseDataElement, field: str) -> NDArray:
    data = sample.get(field).data
    return data.detach().cpu().float().numpy() if hasattr(data, 'detach') else np.asarray(data)


def _aspect(cells: dict[str, tuple[str, NDArray]]) -> float:
    """Height over width of the images."""
    for how, array in cells.values():
        if how != 'kernel':
            return float(np.clip(array.shape[0] / array.shape[1], 0.3, 3))
    return 1.0


def _draw_cell(axis, cell: tuple[str, NDArray] | None, title: str | None) -> None:
    axis.set_axis_off()
    if title:
        axis.set_title(title, fontsize=9, pad=4)
    if cell is None:
        return
    how, array = cell
    if how == 'kernel':
        estimated, true = array
        axis.imshow(estimated, cmap='inferno', vmin=0, interpolation='nearest')
        if true is not None:
            inset = axis.inset_axes((0.66, 0.66, 0.34, 0.34))
            inset.imshow(true, cmap='inferno', vmin=0, interpolation='nearest')
            inset.set(xticks=[], yticks=[])
            inset.spines[:].set_color('white')
            inset.set_xlabel('true', fontsize=6, color='white', labelpad=1)
    elif how == 'probability':
        axis.imshow(array, cmap='gray', vmin=0, vmax=1, interpolation='nearest')
    else:
        axis.imshow(array, interpolation='nearest')


def _draw_legend(figure: Figure) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=np.array(color) / 255, edgecolor='gray', label=name)
        for name, color in ERROR_COLORS.items()
        if name != 'ignored'
    ]
    figure.legend(handles=handles, loc='lower right', ncols=len(handles), fontsize=7, frameon=False)
