"""Predicted and true masks, over which every term of the loss sums, from logits and labels.

Three forms of the network's output are one here. One logit z is the crack's; two logits are the
background's and the crack's, and their softmax equals the sigmoid of the difference, so both are
*one* mask, the crack's (unless the background's is asked for as well). More logits are one mask a
class.

An ignored pixel gets probability 0, belongs to no class and has no cross entropy. So it adds nothing to any
sum, and its logits get no gradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ._tensors import is_compiling, is_on_device

Classes = Literal['auto', 'all'] | Sequence[int]

_CERTAIN = -1e4
"""A logit whose sigmoid and softplus are exactly 0 in float32 and float64, and no infinity."""


class _Remembered:
    """A property that is computed once; ``torch.compile`` cannot read the lock of ``cached_property``."""

    def __init__(self, compute: Callable[['SoftMasks'], Tensor]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, masks: 'SoftMasks', owner: type) -> Tensor:
        if self._name not in masks.computed:
            masks.computed[self._name] = self._compute(masks)
        return masks.computed[self._name]


@dataclass(frozen=True)
class SoftMasks:
    """Predicted and true masks of the classes that a loss looks at.

    Attributes:
        logits: (B, 1, H, W) logit of the crack, or (B, C, H, W) of all C classes; float32 or
            float64.
        label: (B, H, W) int64 class of each pixel, 0 where it is ignored.
        target: (B, K, H, W) true masks, 0 or 1, of the logits' type; 0 where ignored.
        known: (B, H, W) bool of pixels not ignored, or None if that is all of them.
        classes: The K classes that the masks show.
        num_classes: C, and 2 for one logit.
        computed: What was computed so far of what follows.
    """

    logits: Tensor
    label: Tensor
    target: Tensor
    known: Tensor | None
    classes: tuple[int, ...]
    num_classes: int
    computed: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)

    @_Remembered
    def prob(self) -> Tensor:
        """(B, K, H, W) probability of each class, 0 where ignored."""
        if self.logits.shape[1] == 1:
            return self.logits.sigmoid()
        prob = self._log_prob.exp()
        if self.classes != tuple(range(self.num_classes)):
            prob = prob[:, list(self.classes)]
        return prob if self.known is None else prob * self.known[:, None]

    @_Remembered
    def nll(self) -> Tensor:
        """(B, H, W) negative log-likelihood -log s_y of the true class y, 0 where ignored."""
        if self.logits.shape[1] == 1:
            loss = F.binary_cross_entropy_with_logits(self.logits, self.target, reduction='none')
            return loss[:, 0]
        nll = -self._log_prob.gather(1, self.label[:, None])[:, 0]
        return nll if self.known is None else nll * self.known

    @_Remembered
    def num_known(self) -> Tensor:
        """(B,) number of pixels not ignored."""
        if self.known is None:
            pixels = self.label.shape[1:].numel()
            return self.logits.new_full((len(self.label),), pixels)
        return self.known.flatten(1).sum(1).to(self.logits.dtype)

    @_Remembered
    def _log_prob(self) -> Tensor:
        return self.logits.log_softmax(1)

    def pixel_mean(self, values: Tensor) -> Tensor:
        """Mean (B,) of (B, H, W) values over the known pixels of each image; 0 if there are none.

        ``values`` must be 0 on ignored pixels.
        """
        return values.flatten(1).sum(1) / self.num_known.clamp(min=1)


def soft_masks(
    logits: Tensor, target: Tensor, classes: Classes = 'auto', ignore_index: int | None = 255
) -> SoftMasks:
    """Turn logits and labels into predicted and true masks.

    Args:
        logits: (B, C, H, W), C = 1 (crack) or one per class; half precision is widened to float32.
        target: (B, H, W) or (B, 1, H, W) class of each pixel, 0..C-1 (0..1 for one logit).
        classes: Which classes get a mask: ``'auto'`` = the crack (class 1) for one or two logits,
            every class for more; ``'all'`` = every class, also the background beside the crack; or
            a list of class indices.
        ignore_index: Label of pixels that do not count, or None.

    Returns:
        The masks.

    Raises:
        ValueError: Shapes do not fit together, a class is out of range, or (checked on the CPU
            only, an accelerator would have to wait for it) a label is.

    Example:
        >>> masks = soft_masks(torch.zeros(1, 1, 1, 3), torch.tensor([[[0, 1, 255]]]))
        >>> masks.prob, masks.target
        (tensor([[[[0.5000, 0.5000, 0.0000]]]]), tensor([[[[0., 1., 0.]]]]))
    """
    label = _label(logits, target)
    num_classes = max(2, logits.shape[1])
    chosen = _chosen(classes, num_classes)
    label, ignored = _split(label, num_classes, ignore_index)
    known = None if ignored is None else ~ignored
    logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
    if num_classes == 2 and chosen == (1,):
        if logits.shape[1] == 2:
            background, crack = logits.unbind(1)
            logits = (crack - background)[:, None]
        if ignored is not None:
            logits = logits.masked_fill(ignored[:, None], _CERTAIN)
        return SoftMasks(logits, label, (label == 1)[:, None].to(logits.dtype), known, chosen, 2)
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], 1)
    if ignored is not None:
        logits = logits.masked_fill(ignored[:, None], 0)
    true = torch.stack([label == index for index in chosen], 1)
    true = true if known is None else true & known[:, None]
    return SoftMasks(logits, label, true.to(logits.dtype), known, chosen, num_classes)


def check_labels(label: Tensor, num_classes: int, ignore_index: int | None = 255) -> None:
    """Raise ValueError if a label is neither a class nor ignored; waits for an accelerator."""
    _split(label.cpu(), num_classes, ignore_index)


def _label(logits: Tensor, target: Tensor) -> Tensor:
    """The target as (B, H, W), int64."""
    label = target[:, 0] if target.dim() == 4 and target.shape[1] == 1 else target
    if logits.dim() != 4 or label.shape != (logits.shape[0], *logits.shape[2:]):
        raise ValueError(
            f'logits must be (B, C, H, W) and target (B, H, W) of the same size, got '
            f'{tuple(logits.shape)} and {tuple(target.shape)}; resize the logits to the target first'
        )
    return label if label.dtype == torch.int64 else label.long()


def _chosen(classes: Classes, num_classes: int) -> tuple[int, ...]:
    """Class indices that ``classes`` stands for."""
    if isinstance(classes, str):
        if classes not in ('auto', 'all'):
            raise ValueError(f"classes must be 'auto', 'all' or class indices, got {classes!r}")
        return (1,) if classes == 'auto' and num_classes == 2 else tuple(range(num_classes))
    chosen = tuple(classes)
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(num_classes)):
        raise ValueError(
            f'classes must be distinct indices in 0..{num_classes - 1}, got {list(chosen)}; '
            f"'all' stands for every class"
        )
    return chosen


def _split(label: Tensor, num_classes: int, ignore_index: int | None) -> tuple[Tensor, Tensor | None]:
    """Labels with 0 in place of ``ignore_index``, and the (B, H, W) bool of where it was.

    The bool is None if it is certain, without waiting for an accelerator, that nothing is ignored. Compiled
    code must not branch on labels: there the check is part of the graph.
    """
    compiling = is_compiling()
    waits = is_on_device(label) or compiling
    never = ignore_index is None or not 0 <= ignore_index < num_classes
    if not waits and never and _within(label, num_classes):
        return label, None
    ignored = None if ignore_index is None else label == ignore_index
    label = label if ignored is None else label.masked_fill(ignored, 0)
    rule = f'labels must be 0..{num_classes - 1} or ignore_index ({ignore_index})'
    if compiling:
        torch._assert_async(((label >= 0) & (label < num_classes)).all(), rule)
    elif not waits and not _within(label, num_classes):
        raise ValueError(
            f'{rule}, got {int(label.min())}..{int(label.max())}; map the mask values to classes, or give '
            f'the network as many outputs as there are classes'
        )
    return label, ignored


def _within(label: Tensor, num_classes: int) -> bool:
    """Whether all labels are class indices."""
    if label.numel() == 0:
        return True
    lowest, highest = label.aminmax()
    return int(lowest) >= 0 and int(highest) < num_classes
