"""The boundary combo loss under MMSegmentation's name for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.losses.utils import get_class_weight
from mmseg.registry import MODELS

from csbsr_mm.losses import boundary_combo_loss as plain


@MODELS.register_module()
class BoundaryComboLoss(plain.BoundaryComboLoss):
    """:class:`csbsr_mm.losses.BoundaryComboLoss` for ``loss_decode``.

    Args:
        class_weight: As of the plain loss; also a file that holds the weights, as in MMSegmentation.
        use_sigmoid: Has no effect: one logit means sigmoid, several mean softmax. It is accepted so that
            ``loss_decode=dict(type='BoundaryComboLoss')`` may override the ``CrossEntropyLoss`` of a base
            config, whose ``use_sigmoid`` MMEngine merges in.
        *arguments: Arguments of the plain loss, up to ``region``.
        **options: Arguments of the plain loss.

    Example:
        >>> BoundaryComboLoss(alpha=0.5, use_sigmoid=True)
        BoundaryComboLoss(alpha=0.5, gamma=0.5, region='dice', classes='auto')
    """

    def __init__(
        self,
        *arguments: Any,
        class_weight: Sequence[float] | str | None = None,
        use_sigmoid: bool | None = None,
        **options: Any,
    ) -> None:
        if isinstance(class_weight, str) and class_weight != plain.INVERSE_FREQUENCY:
            class_weight = get_class_weight(class_weight)
        super().__init__(*arguments, class_weight=class_weight, **options)
