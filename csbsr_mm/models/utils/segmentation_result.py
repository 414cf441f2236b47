"""The fields of a data sample that hold one image's segmentation."""

from __future__ import annotations

from torch import Tensor

from csbsr_mm.functional.probability import class_probabilities, predicted_labels


def segmentation_result(logits: Tensor, threshold: float) -> dict[str, Tensor]:
    """Logits, probabilities and labels under the names that data samples use.

    Args:
        logits: (C, H, W); C = 1: the crack's logit, otherwise one per class.
        threshold: Probability above which a pixel is crack, for C = 1.

    Returns:
        ``seg_logits`` and ``seg_prob`` (C, H, W), sigmoid of one logit or softmax of several, and
        ``pred_sem_seg`` (1, H, W) int64.

    Example:
        >>> import torch
        >>> segmentation_result(torch.tensor([[[-1.0, 1.0]]]), threshold=0.5)['pred_sem_seg']
        tensor([[[0, 1]]])
    """
    prob = class_probabilities(logits)
    return dict(seg_logits=logits, seg_prob=prob, pred_sem_seg=predicted_labels(prob, threshold))
