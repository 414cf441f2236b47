"""Compute the distance maps of the boundary loss where there is time: in the data workers."""

from __future__ import annotations

from collections.abc import Sequence

from mmseg.registry import TRANSFORMS
from torch import Tensor

from csbsr_mm.functional.boundary import boundary_map

from .label_map_transform import LabelMapTransform


@TRANSFORMS.register_module()
class SignedDistanceTransform(LabelMapTransform):
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
        >>> from mmengine.structures import PixelData
        >>> from mmseg.structures import SegDataSample
        >>> sample = SegDataSample(gt_sem_seg=PixelData(data=torch.tensor([[[0, 0, 1, 1]]])))
        >>> packed = SignedDistanceTransform(normalize=False).transform(dict(data_samples=sample))
        >>> packed['data_samples'].gt_signed_distance.data
        tensor([[[ 2.,  1.,  0., -2.]]])
    """

    field = 'gt_signed_distance'

    def __init__(
        self, classes: Sequence[int] = (1,), normalize: bool = True, ignore_index: int | None = 255
    ) -> None:
        super().__init__(classes)
        self.normalize = normalize
        self.ignore_index = ignore_index

    def maps(self, label: Tensor) -> Tensor:
        """Distance maps (K, H, W) of a label (H, W)."""
        return boundary_map(label, self.classes, self.normalize, self.ignore_index)

    def metainfo(self) -> dict:
        """Whether the maps are normalised."""
        return dict(signed_distance_normalized=self.normalize)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(classes={self.classes}, normalize={self.normalize}, '
            f'ignore_index={self.ignore_index})'
        )
