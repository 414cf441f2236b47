"""Retina photographs with vessel masks, in MMSegmentation's layout of the DRIVE set."""

from __future__ import annotations

from mmseg.datasets import DRIVEDataset
from mmseg.registry import DATASETS

from .keyed_dataset import KeyedDataset


@DATASETS.register_module(name=['KeyedDRIVEDataset', 'DrawnDRIVEDataset'])  # the second is its former name
class KeyedDRIVEDataset(KeyedDataset, DRIVEDataset):
    """MMSegmentation's ``DRIVEDataset`` whose samples carry their draw, which keyed transforms need.

    From the stock class a photo would get the same crop, flip and blur in every epoch. Any other data set
    of MMSegmentation joins :class:`KeyedDataset` in the same way.

    Args:
        **kwargs: As in ``DRIVEDataset``: ``data_root``, ``data_prefix``, ``img_suffix='.png'``,
            ``seg_map_suffix='_manual1.png'``, ``pipeline``, ...
    """

    def prepare_data(self, idx: int) -> dict:
        """Sample ``idx`` after the pipeline, with the draw it was asked for by."""
        return self.pipeline(self.drawn_info(idx))
