"""Randomness that depends on the sample drawn, never on the worker or rank that draws it."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import numpy as np
from mmcv.transforms import BaseTransform


class KeyedTransform(BaseTransform):
    """Base of the random transforms: one fresh generator per sample.

    A training sample that :class:`~csbsr_mm.datasets.samplers.KeyedInfiniteSampler` drew is keyed by
    (seed, draw, name of the transform); any other sample, as in testing, by (seed, its file name,
    name of the transform): the same in every run.

    Args:
        seed: Seed of this transform. None takes the run's seed for drawn samples and 0 for others.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def generator(self, results: dict) -> np.random.Generator:
        """Random generator of this transform for this sample."""
        name = crc32(type(self).__name__.encode())
        if 'draw' in results:
            seed = results.get('draw_seed', 0) if self.seed is None else self.seed
            return np.random.default_rng([seed, results['draw'], name])
        file_name = Path(results.get('img_path') or '').name
        return np.random.default_rng([self.seed or 0, crc32(file_name.encode()), name])

    def refuse_degraded(self, results: dict) -> None:
        """Geometric transforms would tear the LR image, the HR image and the kernel apart."""
        if 'hr_img' in results:
            raise ValueError(
                f'{type(self).__name__} must stand before BlindDegradation or LoadDegradedPair in '
                'the pipeline: it would change the LR image alone'
            )
