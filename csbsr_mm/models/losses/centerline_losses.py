"""The losses of centre lines under their names in MMSegmentation."""

from mmseg.registry import MODELS

from csbsr_mm.losses import CenterlineDiceLoss, SkeletonRecallLoss

MODELS.register_module(module=CenterlineDiceLoss)
MODELS.register_module(module=SkeletonRecallLoss)
