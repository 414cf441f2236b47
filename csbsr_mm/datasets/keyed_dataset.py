"""Data sets that give their pipeline a sample's draw, its position in the training order."""

from __future__ import annotations

import logging

from mmengine.logging import print_log

from .samplers import KeyedIndex
from .transforms.keyed import KeyedTransform


class KeyedDataset:
    """Mixin for MMEngine data sets: samples carry ``draw`` and ``draw_seed`` of their index.

    In training, an index without a draw is warned of once if the pipeline needs draws: keyed transforms would
    then treat a photo the same way in every epoch.
    """

    _warned = False

    def drawn_info(self, idx: int) -> dict:
        """The data set's entry for an index, with the index's draw."""
        info = self.get_data_info(idx)
        if isinstance(idx, KeyedIndex):
            info.update(draw=idx.draw, draw_seed=idx.seed)
        elif not self.test_mode and not self._warned:
            self._warned = True
            self._warn()
        return info

    def _warn(self) -> None:
        keyed = [type(t).__name__ for t in self.pipeline.transforms if isinstance(t, KeyedTransform)]
        if keyed:
            print_log(
                f'{type(self).__name__} was asked for a training sample without a draw, so '
                f'{", ".join(keyed)} will treat a photo the same way in every epoch; '
                "use sampler=dict(type='KeyedInfiniteSampler')",
                logger='current',
                level=logging.WARNING,
            )
