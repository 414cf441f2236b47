"""What the transforms have in common that make maps of a label for a loss, in the data workers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from torch import Tensor


class LabelMapTransform(BaseTransform):
    """Add maps (K, H, W) of a packed sample's label as a field of the data sample.

    It stands last in the pipeline, after ``PackSegInputs`` or ``PackBlindSRInputs``: flips and crops before
    it are in the label already. Samples without a label pass unchanged.

    Args:
        classes: The K classes to make maps of.

    Raises:
        ValueError: There is no class, or it is no index.
    """

    field: str
    """Name of the field."""

    def __init__(self, classes: Sequence[int] = (1,)) -> None:
        if not classes or not all(isinstance(index, int) and index >= 0 for index in classes):
            raise ValueError(f'classes must be class indices, at least one, got {classes}')
        self.classes = tuple(classes)

    @abstractmethod
    def maps(self, label: Tensor) -> Tensor:
        """Maps (K, H, W) of a label (H, W)."""

    @abstractmethod
    def metainfo(self) -> dict:
        """How the maps were made, so that a loss that wants others can say so."""

    def transform(self, results: dict) -> dict:
        """Add the maps.

        Raises:
            ValueError: The sample is not packed yet.
        """
        sample = results.get('data_samples')
        if sample is None:
            raise ValueError(
                f'{type(self).__name__} found no data_samples; put it last in the pipeline, after '
                'PackSegInputs or PackBlindSRInputs'
            )
        if 'gt_sem_seg' in sample:
            maps = self.maps(sample.gt_sem_seg.data[0])
            sample.set_data({self.field: PixelData(data=maps)})
            sample.set_metainfo(self.metainfo())
        return results
