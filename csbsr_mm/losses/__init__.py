"""Losses as plain torch modules; imports nothing of MMSegmentation.

    from csbsr_mm.losses import AlphaSchedule, BoundaryComboLoss

    loss = BoundaryComboLoss()
    alpha = AlphaSchedule(loss, total_iters=10_000)
    for images, labels in loader:
        loss(model(images), labels).backward()
        ...
        alpha.step()

In MMSegmentation the same classes are registered under their names. :class:`AlphaCallback` moves α in
Lightning; it is imported when it is first asked for, and needs the extra ``[lightning]``.
"""

from typing import TYPE_CHECKING, Any

from csbsr_mm.functional.label_skeletons import skeleton_tubes, soft_label_skeletons

from .alpha_schedule import AlphaSchedule
from .boundary_combo_loss import BoundaryComboLoss
from .centerline_dice_loss import CenterlineDiceLoss
from .skeleton_recall_loss import SkeletonRecallLoss

if TYPE_CHECKING:
    from .alpha_callback import AlphaCallback as AlphaCallback

__all__ = [
    'AlphaSchedule',
    'BoundaryComboLoss',
    'CenterlineDiceLoss',
    'SkeletonRecallLoss',
    'skeleton_tubes',
    'soft_label_skeletons',
]


def __getattr__(name: str) -> Any:
    """Import what needs an extra when it is first asked for."""
    if name != 'AlphaCallback':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from .alpha_callback import AlphaCallback

    return AlphaCallback
