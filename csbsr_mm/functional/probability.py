"""From logits to probabilities, and from probabilities to masks: one rule for the whole package."""

from __future__ import annotations

from torch import Tensor


def class_probabilities(logits: Tensor) -> Tensor:
    """Probability of each class at each pixel.

    Args:
        logits: (C, H, W) or (B, C, H, W). C = 1 holds the logit of the crack, C > 1 one logit per class.

    Returns:
        Probabilities in the shape of ``logits``: the sigmoid of one logit, the softmax of several.

    Example:
        >>> import torch
        >>> class_probabilities(torch.zeros(1, 2, 2)).shape
        torch.Size([1, 2, 2])
    """
    return logits.sigmoid() if logits.shape[-3] == 1 else logits.softmax(-3)


def crack_probability(logits: Tensor, crack_class: int = 1) -> Tensor:
    """Probability of the crack at each pixel.

    Args:
        logits: (C, H, W) or (B, C, H, W), as for :func:`class_probabilities`.
        crack_class: Channel of the crack among several classes; no meaning for C = 1.

    Returns:
        (1, H, W) or (B, 1, H, W) in [0, 1].

    Example:
        >>> import torch
        >>> crack_probability(torch.zeros(3, 2, 4, 4)).unique()
        tensor([0.5000])
    """
    return select_crack(class_probabilities(logits), crack_class)


def select_crack(prob: Tensor, crack_class: int = 1) -> Tensor:
    """The crack's channel (..., 1, H, W) of probabilities (..., C, H, W)."""
    return prob if prob.shape[-3] == 1 else prob[..., crack_class, None, :, :]


def predicted_labels(prob: Tensor, threshold: float = 0.5) -> Tensor:
    """Class of each pixel.

    Args:
        prob: Probabilities (C, H, W) or (B, C, H, W).
        threshold: Probability above which a pixel is crack. Several classes compete without one: the
            most probable wins.

    Returns:
        (1, H, W) or (B, 1, H, W) int64; 0 and 1 for C = 1.

    Example:
        >>> import torch
        >>> predicted_labels(torch.tensor([[[0.2, 0.5, 0.9]]]))
        tensor([[[0, 0, 1]]])
    """
    if prob.shape[-3] == 1:
        return (prob > threshold).long()
    return prob.argmax(-3, keepdim=True)
