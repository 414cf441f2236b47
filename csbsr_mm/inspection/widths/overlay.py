"""Overlays in which the colour of a crack tells the class of its width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, spatial

from csbsr_mm.inspection.measurement.skeleton import CentreLine, trace
from csbsr_mm.inspection.measurement.smoothing import regularize
from csbsr_mm.inspection.prediction.photo_output import Colors, OutputFolder, PhotoWriter
from csbsr_mm.inspection.prediction.run import Record
from csbsr_mm.inspection.report.remeasure import stored_result
from csbsr_mm.inspection.scale.scales import PhotoScale

from .estimates import Estimator

GRID = 17
"""Places along each side of a photo at which a scale that differs over the wall is asked for."""


def color_overlays(folder: OutputFolder, records: Sequence[Record], estimator: Estimator) -> None:
    """Write overlays and previews again, cracks in the colours of the classes of their width.

    They are red where the scale is not known, and without classes. The whole of a photo is held in memory.

    Args:
        folder: The report.
        records: Records of its photos.
        estimator: Knows scales, errors and classes.
    """
    for record in records:
        if record['status'] != 'ok':
            continue
        result = stored_result(folder, record, record['threshold'])
        scale = estimator.scales.of(record['source'])
        colors = None
        if scale is not None and estimator.classes is not None and result.mask.any():
            line = trace(regularize(result.mask), profile=result.probability)
            colors = class_colors(line, record, estimator, scale)
        PhotoWriter(folder).write_overlay(result, record['name'], colors)
        result.close()


def class_colors(line: CentreLine, record: Record, estimator: Estimator, scale: PhotoScale) -> Colors:
    """The colour of the class at the nearest point of a centre line whose width is known.

    Args:
        line: All centre lines of the photo, in output pixels.
        record: The photo's record.
        estimator: Corrects widths; has classes.
        scale: Of the photo.
    """
    assert estimator.classes is not None
    errors, pixels = estimator.errors_of(record), record['scale']
    mask_width = errors.curves['mean_width'].corrected(line.width / pixels)
    between = np.isfinite(line.profile_width)
    profile_width = errors.curves['subpixel_mean'].corrected(
        np.where(between, line.profile_width, 0) / pixels
    )
    known = between if between.any() else ~line.at_junction
    known = known if known.any() else np.ones(len(line.rows), bool)
    places = np.column_stack([line.rows, line.columns])[known]
    width = np.where(between, profile_width, mask_width)[known]
    millimetres = width * _millimetres_across((places + 0.5) / pixels, record, scale)
    point_colors = estimator.classes.colors[estimator.classes.of(millimetres)]
    nearest = spatial.cKDTree(places)

    def colors(rows: NDArray[np.floating], columns: NDArray[np.floating]) -> NDArray[np.uint8]:
        if not len(rows):
            return np.zeros((0, 3), np.uint8)
        return point_colors[nearest.query(np.column_stack([rows, columns]))[1]]

    return colors


def _millimetres_across(
    places: NDArray[np.float64], record: Record, scale: PhotoScale
) -> NDArray[np.float64]:
    """Millimetres per pixel of the photo at (N, 2) rows and columns of it."""
    if scale.plane is None:
        return np.full(len(places), scale.mm_per_pixel)
    axes = [np.linspace(0, record[side], GRID) for side in ('height', 'width')]
    grid = [[scale.at((row, column)).across for column in axes[1]] for row in axes[0]]
    inside = np.clip(places, 0, [record['height'], record['width']])
    return interpolate.RegularGridInterpolator(axes, np.array(grid))(inside)
