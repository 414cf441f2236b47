"""Losses as plain torch modules; imports nothing of MMSegmentation.

    from csbsr_mm.losses import AlphaSchedule, BoundaryComboLoss

    loss = BoundaryComboLoss()
    alpha = AlphaSchedule(loss, total_iters=10_000)
    for images, labels in loader:
        loss(model(images), labels).backward()
        ...
        alpha.step()

In MMSegmentation the same classes are registered under their names.
"""

from .alpha_schedule import AlphaSchedule
from .boundary_combo_loss import BoundaryComboLoss
from .centerline_dice_loss import CenterlineDiceLoss
from .skeleton_recall_loss import SkeletonRecallLoss, skeleton_tubes

__all__ = ['AlphaSchedule', 'BoundaryComboLoss', 'CenterlineDiceLoss', 'SkeletonRecallLoss', 'skeleton_tubes']
