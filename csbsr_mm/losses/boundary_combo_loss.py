"""Boundary combo loss: boundary term, Dice and weighted cross entropy in one, for any segmentor."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from csbsr_mm.functional.boundary import boundary, boundary_pixels, signed_distance_of
from csbsr_mm.functional.region import cross_entropy, cross_entropy_pixels, dice, generalized_dice
from csbsr_mm.functional.soft_masks import Classes, SoftMasks, check_labels, soft_masks
from csbsr_mm.functional.topology import centerline_dice
from csbsr_mm.functional.weights import fail_oriented_weight_of
from csbsr_mm.utils.checks import check_choice, check_share

from .centerline_dice_loss import check_iterations
from .reduction import check_reduction, reduced
from .worker_maps import batch_of_maps

INVERSE_FREQUENCY = 'inverse_frequency'
MAX_CLASSES = 4096
ITERATIONS = 10  # of the soft skeletons of the topology term
REGIONS = {'dice': dice, 'gdice': generalized_dice}


class Shares(NamedTuple):
    """Factors of the terms of Eq. 3; None where a term can never count and is not computed."""

    boundary: Tensor | None
    region: Tensor | None
    cross_entropy: Tensor | None


class BoundaryComboLoss(nn.Module):
    """Boundary combo loss of logits: how far errors lie from the outline, and how many there are.

    One class for every loss of the paper's Table IV, given as (alpha, gamma, region): weighted cross
    entropy (0, 1), Dice (0, 0), Combo (0, 0.5), boundary + GDice (α, 0, 'gdice'), BC (α, 0.5) and
    GBC (α, 0.5, 'gdice').

    α should rise during training, from 0 up to 0.99: from a bad start the boundary term alone leads to
    empty masks. :class:`~csbsr_mm.losses.AlphaSchedule` does that, and in MMEngine
    ``BoundaryRebalanceHook``; both move every such loss whose ``alpha`` is not fixed. α is a buffer, so
    a checkpoint holds it.

    Args:
        alpha: Weight α of the boundary term in [0, 1], fixed; None leaves it to the schedule (0 until
            the schedule sets it).
        gamma: Share γ of the cross entropy in the rest, in [0, 1].
        region: The other share: ``'dice'`` or ``'gdice'``.
        class_weight: Weights of the classes in the cross entropy, background first;
            ``'inverse_frequency'`` for the inverse of each class's share of the pixels (Eq. 8) in all
            batches seen so far, over all processes; or None for 1 each.
        classes: Classes in the Dice sums and the boundary term: ``'auto'`` (one or two logits: the
            crack; more: every class), ``'all'`` (Dice over background and crack, Eq. 6-7 as
            printed) or class indices.
        normalize_distance: Distance maps in [-1, 1] (each side divided by its largest distance);
            False: in pixels.
        fail_weight_m: Multiply every pixel in all sums by exp(m |T - P|), detached (w^F of Eq. 10
            on L_C); None: do not.
        topology: ``'centerline_dice'`` mixes 1 - clDice into the Dice term D, so that interrupted cracks
            cost more; None leaves D as it is.
        topology_share: Share τ of it: D becomes (1 - τ) D + τ (1 - clDice).
        reduction: ``'mean'`` or ``'sum'`` of the images' losses, ``'image'`` for one each (B,), or ``'none'``
            for one of each pixel (B, H, W).
        loss_weight: Factor of the result.
        loss_name: Name in the log; keep the prefix ``loss_`` or it is not trained on.

    Raises:
        ValueError: A value is outside its range.

    Equation:
        L = α B + (1 - α) ((1 - γ) D + γ W), Eq. 3, of each image; B: Eq. 5, D: Eq. 6 or 7, W: Eq. 8.

    Example:
        >>> loss = BoundaryComboLoss(alpha=0.5)
        >>> logits, label = torch.randn(2, 2, 16, 16), torch.randint(2, (2, 16, 16))
        >>> loss(logits, label).shape
        torch.Size([])
    """

    alpha: Tensor
    class_pixels: Tensor

    def __init__(
        self,
        alpha: float | None = None,
        gamma: float = 0.5,
        region: str = 'dice',
        class_weight: Sequence[float] | str | None = None,
        classes: Classes = 'auto',
        normalize_distance: bool = True,
        fail_weight_m: float | None = None,
        topology: str | None = None,
        topology_share: float = 0.5,
        reduction: str = 'mean',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_bc',
    ) -> None:
        super().__init__()
        check_share('gamma', gamma)
        check_choice('region', region, REGIONS)
        check_reduction(reduction)
        if topology is not None:
            check_choice('topology', topology, ('centerline_dice',))
        check_share('topology_share', topology_share)
        if fail_weight_m is not None and not fail_weight_m >= 0:
            raise ValueError(f'fail_weight_m must be >= 0 or None, got {fail_weight_m}')
        self.gamma = float(gamma)
        self.region = region
        self.classes = classes
        self.normalize_distance = normalize_distance
        self.fail_weight_m = fail_weight_m
        self.topology, self.topology_share = topology, float(topology_share)
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self.fixed_alpha = None if alpha is None else float(alpha)
        self._alpha_was_set = False
        self.register_buffer('alpha', torch.zeros(()))
        if alpha is not None:
            self.set_alpha(alpha)
        self.class_weight = _class_weight(class_weight)
        if self.class_weight == INVERSE_FREQUENCY:
            self.register_buffer('class_pixels', torch.zeros(MAX_CLASSES, dtype=torch.float64))
        self._boundary_maps: list[Tensor] | None = None
        self._skeletons: list[Tensor] | None = None
        self._labels_checked = False

    def forward(
        self,
        cls_score: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        ignore_index: int | None = 255,
    ) -> Tensor:
        """Loss of a batch, in MMSegmentation's call form.

        Args:
            cls_score: (B, C, H, W) logits: C = 1 (crack), or one per class; any float type.
            label: (B, H, W) class of each pixel.
            weight: (B, H, W) or (B, 1, H, W) factor of each pixel in all sums, or None.
            avg_factor: Divide the sum over the images by this instead of by their number.
            reduction_override: In place of ``reduction``.
            ignore_index: Label of pixels that do not count, or None.

        Returns:
            Scalar; (B,) with reduction ``'image'``; (B, H, W) with ``'none'``, a map whose mean over an
            image's known pixels is the image's loss. float32 at least. The loss can be negative, because the
            boundary term of a good prediction is.

        Raises:
            ValueError: Shapes, labels, weights or distance maps do not fit together.
        """
        reduction = reduction_override or self.reduction
        check_reduction(reduction)
        if self.training and not self._alpha_was_set:
            self._warn_of_missing_alpha()
        masks = self._masks(cls_score, label, ignore_index)
        if self.class_weight == INVERSE_FREQUENCY and self.training and torch.is_grad_enabled():
            self._count(masks)
        weight = self._pixel_weight(masks, weight)
        if reduction == 'none':
            return self.loss_weight * self._of_pixels(masks, weight)
        return reduced(self.loss_weight * self._of_images(masks, weight), reduction, avg_factor)

    @torch.no_grad()
    def pixel_loss(self, cls_score: Tensor, label: Tensor, ignore_index: int | None = 255) -> Tensor:
        """Loss of each pixel, at least 0, without gradient: the weight L_C on L_S of Table V.

        The mean of an image's map, before negative values are set to 0, is the image's loss: boundary
        term and cross entropy belong to pixels, Dice to the image, so every pixel has the same.

        Args:
            cls_score: (B, C, H, W) logits.
            label: (B, H, W) class of each pixel.
            ignore_index: Label of pixels that do not count and get 0, or None.

        Returns:
            (B, 1, H, W) float32 or float64.
        """
        masks = self._masks(cls_score, label, ignore_index)
        losses = self._of_pixels(masks, self._pixel_weight(masks, None))
        return self.loss_weight * losses.clamp(min=0)[:, None]

    def set_alpha(self, alpha: float) -> None:
        """Set the weight of the boundary term.

        Raises:
            ValueError: ``alpha`` is outside [0, 1].
        """
        check_share('alpha', alpha)
        self.alpha.fill_(alpha)
        self._alpha_was_set = True

    def set_boundary_maps(self, maps: Sequence[Tensor] | None, normalized: bool = True) -> None:
        """Hand over signed distance maps of the coming batch's labels, or None to compute them here.

        ``BoundaryMapHook`` calls this with the maps that ``SignedDistanceTransform`` made in the data
        workers. They stay in use until the next call.

        Args:
            maps: One (K, H, W) map an image, K as the classes of this loss; smaller than the label
                where that was padded at the right and at the bottom.
            normalized: Whether the maps are normalised.

        Raises:
            ValueError: The maps are normalised and ``normalize_distance`` is False, or vice versa.
        """
        if maps is not None and normalized != self.normalize_distance:
            raise ValueError(
                f'the precomputed distance maps have normalize={normalized}, the loss has '
                f'normalize_distance={self.normalize_distance}; give SignedDistanceTransform the same'
            )
        self._boundary_maps = None if maps is None else list(maps)

    def set_skeletons(self, skeletons: Sequence[Tensor] | None, iterations: int | None = None) -> None:
        """Hand over soft skeletons of the coming batch's labels, or None to compute them here.

        They are for ``topology``; without it they are not needed and not kept.

        Args:
            skeletons: As of :meth:`~csbsr_mm.losses.CenterlineDiceLoss.set_skeletons`.
            iterations: Those of the skeletons; the loss has 10.

        Raises:
            ValueError: The skeletons have other iterations.
        """
        if self.topology is not None:
            check_iterations(iterations, ITERATIONS)
            self._skeletons = None if skeletons is None else list(skeletons)

    def extra_repr(self) -> str:
        """Describe the terms of the loss."""
        alpha = 'moving' if self.fixed_alpha is None else self.fixed_alpha
        return f'alpha={alpha}, gamma={self.gamma}, region={self.region!r}, classes={self.classes!r}'

    def _of_images(self, masks: SoftMasks, weight: Tensor | None) -> Tensor:
        """Loss (B,) of each image."""
        shares, loss = self._shares(), masks.logits.new_zeros(len(masks.label))
        if shares.boundary is not None:
            loss = loss + shares.boundary * boundary(masks, self._maps(masks), weight)
        if shares.region is not None:
            loss = loss + shares.region * self._region(masks, weight)
        if shares.cross_entropy is not None:
            class_weights = self._class_weights(masks.num_classes)
            loss = loss + shares.cross_entropy * cross_entropy(masks, class_weights, weight)
        return loss

    def _of_pixels(self, masks: SoftMasks, weight: Tensor | None) -> Tensor:
        """Loss (B, H, W) of each pixel, 0 where ignored."""
        shares, losses = self._shares(), masks.logits.new_zeros(masks.label.shape)
        if shares.boundary is not None:
            losses = losses + shares.boundary * boundary_pixels(masks, self._maps(masks), weight)
        if shares.region is not None:
            losses = losses + shares.region * self._region(masks, weight)[:, None, None]
        if shares.cross_entropy is not None:
            class_weights = self._class_weights(masks.num_classes)
            losses = losses + shares.cross_entropy * cross_entropy_pixels(masks, class_weights, weight)
        return losses if masks.known is None else losses * masks.known

    def _masks(self, cls_score: Tensor, label: Tensor, ignore_index: int | None) -> SoftMasks:
        masks = soft_masks(cls_score, label, self.classes, ignore_index)
        if not self._labels_checked and label.device.type != 'cpu':
            # On the CPU every batch is checked; here once, since each check would stall the GPU.
            check_labels(label, masks.num_classes, ignore_index)
        self._labels_checked = True
        return masks

    def _pixel_weight(self, masks: SoftMasks, weight: Tensor | None) -> Tensor | None:
        """Factor (B, H, W) of each pixel: the caller's, times w^F."""
        if weight is not None:
            weight = weight[:, 0] if weight.dim() == 4 and weight.shape[1] == 1 else weight
            if weight.shape != masks.label.shape:
                raise ValueError(
                    f'weight must have the shape of the label, {tuple(masks.label.shape)}, got '
                    f'{tuple(weight.shape)}'
                )
            weight = weight.to(masks.logits.dtype)
        if self.fail_weight_m is None:
            return weight
        fail_weight = fail_oriented_weight_of(masks, self.fail_weight_m)
        return fail_weight if weight is None else weight * fail_weight

    def _shares(self) -> Shares:
        """Factors of the three terms, from α and γ."""
        rest = None if self.fixed_alpha == 1 else 1 - self.alpha
        return Shares(
            boundary=None if self.fixed_alpha == 0 else self.alpha,
            region=None if rest is None or self.gamma == 1 else (1 - self.gamma) * rest,
            cross_entropy=None if rest is None or self.gamma == 0 else self.gamma * rest,
        )

    def _region(self, masks: SoftMasks, weight: Tensor | None) -> Tensor:
        """The Dice term (B,), with its share of the centre lines'."""
        term = REGIONS[self.region](masks, weight)
        if self.topology is None:
            return term
        skeletons = None
        if self._skeletons is not None:
            skeletons = batch_of_maps(self._skeletons, masks.label, 'skeletons', 'SoftSkeletonTransform')
        lines = centerline_dice(masks, ITERATIONS, skeleton=skeletons)
        return (1 - self.topology_share) * term + self.topology_share * lines

    def _maps(self, masks: SoftMasks) -> Tensor:
        """Signed distance maps of the batch: precomputed ones, or computed from the labels."""
        if self._boundary_maps is None:
            return signed_distance_of(masks, self.normalize_distance)
        return batch_of_maps(self._boundary_maps, masks.label, 'distance maps', 'SignedDistanceTransform')

    def _class_weights(self, num_classes: int) -> Sequence[float] | Tensor | None:
        if self.class_weight is None or not isinstance(self.class_weight, str):
            return self.class_weight
        pixels = self.class_pixels[:num_classes]
        # Until every class was seen once, an unseen one would outweigh all others without limit.
        return torch.where((pixels > 0).all(), pixels.sum() / pixels.clamp(min=1), 1.0)

    def _count(self, masks: SoftMasks) -> None:
        """Add the batch's pixels of each class, over all processes, to the counts."""
        if masks.num_classes > MAX_CLASSES:
            raise ValueError(
                f"class_weight='inverse_frequency' counts at most {MAX_CLASSES} classes, the network has "
                f'{masks.num_classes}; give the weights as a list'
            )
        ignored = masks.num_classes
        index = masks.label if masks.known is None else masks.label.masked_fill(~masks.known, ignored)
        pixels = self.class_pixels.new_zeros(masks.num_classes + 1)
        pixels.scatter_add_(0, index.flatten(), pixels.new_ones(()).expand(index.numel()))
        pixels = pixels[:ignored]
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(pixels)
        self.class_pixels[:ignored] += pixels

    def _warn_of_missing_alpha(self) -> None:
        warnings.warn(
            'BoundaryComboLoss trains without its boundary term: nothing has set alpha. Add '
            "dict(type='BoundaryRebalanceHook') to custom_hooks, or fix it: "
            'BoundaryComboLoss(alpha=...); alpha=0 keeps the term off.',
            stacklevel=3,
        )
        self._alpha_was_set = True

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any) -> None:
        """Load counts and α, unless α is fixed here or the checkpoint is of another loss."""
        counts = state_dict.get(prefix + 'class_pixels')
        if counts is not None and len(counts) < MAX_CLASSES:  # earlier versions had room for 256
            state_dict = {
                **state_dict,
                prefix + 'class_pixels': F.pad(counts, (0, MAX_CLASSES - len(counts))),
            }
        key = prefix + 'alpha'
        if self.fixed_alpha is not None or key not in state_dict:
            state_dict = {**state_dict, key: self.alpha}
        else:
            self._alpha_was_set = True
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _class_weight(class_weight: Sequence[float] | str | None) -> tuple[float, ...] | str | None:
    """Class weights as numbers, checked."""
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        if class_weight == INVERSE_FREQUENCY:
            return class_weight
        raise ValueError(f'class_weight must be numbers or {INVERSE_FREQUENCY!r}, got {class_weight!r}')
    numbers = tuple(float(weight) for weight in class_weight)
    if len(numbers) < 2 or not all(0 <= number < float('inf') for number in numbers) or not sum(numbers):
        raise ValueError(
            f'class_weight must be one finite weight >= 0 for each class, background first, and not all '
            f'0, got {list(numbers)}; tools/dataset_converters/count_class_weights.py computes them'
        )
    return numbers
