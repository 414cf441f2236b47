"""Interface between inferencer and model: tiles in, probabilities and SR tiles out. Needs NumPy alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OUTPUT_TILE = 448
OUTPUT_OVERLAP = 64


class TileOutputs(NamedTuple):
    """Predictions for a batch of tiles; s is the scale of the model.

    ``probability`` is (B, sh, sw, 1), ``sr_image`` (B, sh, sw, 3) RGB in [0, 1] or None, ``blur_kernel``
    (B, K, K) or None.
    """

    probability: NDArray[np.float32]
    sr_image: NDArray[np.float32] | None
    blur_kernel: NDArray[np.float32] | None


class Statistics(NamedTuple):
    """Mean and variance of each channel of a photo's SR image."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


class Backend(ABC):
    """A model as the inferencer runs it on tiles. A subclass defines :meth:`run` and what differs.

    Attributes:
        scale: Output pixels per photo pixel along each axis.
        threshold: Probability above which a pixel is crack.
        restores: Whether it makes an SR image.
        shares: Whether a photo of several tiles can share one blur kernel and one normalisation.
        tile: Side of a tile that the model insists on, in photo pixels, or None.
        batch_size: Tiles at a time that the model insists on, or None.
    """

    scale: int = 1
    threshold: float = 0.5
    restores: bool = False
    shares: bool = False
    tile: int | None = None
    batch_size: int | None = None

    @abstractmethod
    def run(self, tiles: NDArray[np.float32]) -> TileOutputs:
        """Predict tiles (B, h, w, 3), RGB in [0, 1], each by itself."""


class SharingBackend(Backend):
    """A backend whose two networks can run one after the other on a whole photo."""

    restores = True
    shares = True

    @property
    @abstractmethod
    def is_blind(self) -> bool:
        """Whether a blur kernel is estimated."""

    @property
    @abstractmethod
    def needs_statistics(self) -> bool:
        """Whether the SR image is normalised by its own mean and variance."""

    @abstractmethod
    def estimate_kernels(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Blur kernels (B, K, K) of tiles (B, h, w, 3)."""

    @abstractmethod
    def super_resolve(
        self, tiles: NDArray[np.float32], blur_kernel: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """SR tiles (B, sh, sw, 3), all with the same blur kernel (K, K)."""

    @abstractmethod
    def segment(
        self,
        tiles: NDArray[np.float32],
        blur_kernel: NDArray[np.float32] | None,
        statistics: Statistics | None,
    ) -> NDArray[np.float32]:
        """Crack probability (B, H, W, 1) of SR tiles (B, H, W, 3), normalised by the photo's statistics."""
