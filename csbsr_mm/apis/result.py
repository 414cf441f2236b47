"""Predictions for one photo."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from csbsr_mm.photos.nodata import NoData
from csbsr_mm.photos.raster import Box, Raster
from csbsr_mm.photos.reader import Photo


@dataclass
class CrackResult:
    """Predictions for one photo. Close it to free large photos' scratch files.

    ``probability``, ``mask`` and ``sr_image`` are arrays of the whole output; of outputs above 20
    megapixels, which live in scratch files, read parts with :meth:`read_mask`, :meth:`picture` or the
    rasters.

    Attributes:
        photo: The photo.
        probability_raster: Crack probability, one channel, at ``scale`` times the photo's size.
        sr_raster: RGB at the same size, or None from a model without super-resolution.
        blur_kernel: (K, K), the photo's blur in SR pixels, or None.
        threshold: Probability above which a pixel is crack.
        scale: Output pixels per photo pixel along each axis.
        seam_rms: Deviation of overlapping tiles from their blend, by output: 'probability' and 'sr_image'.
        tiles: Number of tiles.
        nodata: Where the photo shows nothing, or None if it shows something everywhere. The probability
            is zero there.
    """

    photo: Photo
    probability_raster: Raster
    sr_raster: Raster | None
    blur_kernel: NDArray[np.float32] | None
    threshold: float
    scale: int
    seam_rms: dict[str, float] = field(default_factory=dict)
    tiles: int = 1
    nodata: NoData | None = None

    @property
    def box(self) -> Box:
        """The whole output."""
        return self.probability_raster.box

    @property
    def probability(self) -> NDArray[np.float32]:
        """Crack probability (H, W) in [0, 1]."""
        return self.read_probability(self.box)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where the crack is, (H, W)."""
        return self.read_mask(self.box)

    @property
    def sr_image(self) -> NDArray[np.float32] | None:
        """SR image (H, W, 3), RGB in [0, 1], or None."""
        return None if self.sr_raster is None else self.sr_raster.read_unit(self.box)

    def read_mask(self, box: Box) -> NDArray[np.bool_]:
        """Where the crack is in a part of the output, (h, w)."""
        return self.read_probability(box) > self.threshold

    def read_probability(self, box: Box) -> NDArray[np.float32]:
        """Crack probability in a part of the output, (h, w) in [0, 1]."""
        values = self.probability_raster.read_unit(box)[..., 0]
        if self.nodata is not None:
            values = np.where(self.nodata.read(box, self.scale), np.float32(0), values)
        return values

    def picture(self, box: Box) -> NDArray[np.uint8]:
        """A part of the SR image, or of the enlarged photo where there is none, (h, w, 3) uint8."""
        if self.sr_raster is None:
            return self.photo_picture(box)
        return _to_uint8(self.sr_raster.read_unit(box))

    def photo_picture(self, box: Box) -> NDArray[np.uint8]:
        """A part of the photo, enlarged bicubically to the output's size, (h, w, 3) uint8."""
        scale, pixels = self.scale, self.photo.pixels
        if scale == 1:
            return _to_uint8(pixels.read_unit(box))
        source = Box(box.top // scale, box.left // scale, -(-box.bottom // scale), -(-box.right // scale))
        source = source.grown(2, pixels.height, pixels.width)
        values = pixels.read_unit(source)
        enlarged = cv2.resize(values, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        return _to_uint8(enlarged[box.within(source.scaled(scale))])

    def close(self) -> None:
        """Free memory and scratch files."""
        for raster in (self.photo.pixels, self.probability_raster, self.sr_raster):
            if raster is not None:
                raster.close()


def _to_uint8(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(255 * values.clip(0, 1)).astype(np.uint8)
