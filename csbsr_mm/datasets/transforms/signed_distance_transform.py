"""Compute the distance maps of the boundary loss where there is time: in the data workers."""

from __future__ import annotations

from collections.abc import Sequence

from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData
from mmseg.registry import TRANSFORMS

from csbsr_mm.functional.boundary import boundary_map


@TRANSFORMS.register_module()
class SignedDistanceTransform(BaseTransform):
    """Add the signed distance maps of a packed sample's label, for ``BoundaryComboLoss``.

    Stands last in the pipeline, after ``PackSegInputs`` or ``PackBlindSRInputs``: flips and crops
    before it are in the label already. The maps become the field ``gt_signed_distance`` (K, H, W;
    float32) of the data sample; ``BoundaryMapHook`` hands them to every BoundaryComboLoss. Without the
    hook, or for samples without maps, the loss computes the same maps itself. Samples without a label
    pass unchanged.

    Args:
        classes: The K classes to make maps of, as the loss uses them: the crack alone, ``(1,)``, for
            one or two logits; ``range(C)`` for C > 2 classes.
        normalize: As ``normalize_distance`` of the loss.
        ignore_index: Label of pixels that count neither as crack nor as background, or None.

    Example:
        >>> import torch
        >>> from mmseg.structures import SegDataSample
        >>> sample = SegDataSample(gt_sem_seg=PixelData(data=torch.tensor([[[0, 0, 1, 1]]])))
        >>> packed = SignedDistanceTransform(normalize=False).transform(dict(data_samples=sample))
        >>> packed['data_samples'].gt_signed_distance.data
        tensor([[[ 2.,  1.,  0., -2.]]])
    """

    def __init__(
        self, classes: Sequence[int] = (1,), normalize: bool = True, ignore_index: int | None = 255
    ) -> None:
        if not classes or not all(isinstance(index, int) and index >= 0 for index in classes):
            raise ValueError(f'classes must be class indices, at least one, got {classes}')
        self.classes = tuple(classes)
        self.normalize = normalize
        self.ignore_index = ignore_index

    def transform(self, results: dict) -> dict:
        """Add the maps.

        Raises:
            ValueError: The sample is not packed yet.
        """
        sample = results.get('data_samples')
        if sample is None:
            raise ValueError(
                'SignedDistanceTransform found no data_samples; put it last in the pipeline, after '
                'PackSegInputs or PackBlindSRInputs'
            )
        if 'gt_sem_seg' in sample:
            label = sample.gt_sem_seg.data[0]
            maps = boundary_map(label, self.classes, self.normalize, self.ignore_index)
            sample.set_data(dict(gt_signed_distance=PixelData(data=maps)))
            sample.set_metainfo(dict(signed_distance_normalized=self.normalize))
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(classes={self.classes}, normalize={self.normalize}, '
            f'ignore_index={self.ignore_index})'
        )
