"""Fit a model to a few labelled photos, and find out by cross-validation whether that helps."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from torch import Tensor

from csbsr_mm.functional.overlap import iou_sweep
from csbsr_mm.functional.probability import crack_probability
from csbsr_mm.models.segmentors import BlindSRSegmentor

from .labelled_photos import LabelledPhoto

FEWEST = 4
"""Photos below which nothing can be said by cross-validation."""
THRESHOLDS = np.arange(1, 50) / 50
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Schedule:
    """How to train.

    Attributes:
        iterations: Steps of Adam.
        learning_rate: At the start; it falls to zero along a cosine.
        crop: Side of a crop in SR pixels.
        batch_size: Crops per step.
        seed: Of the crops.
    """

    iterations: int = 80
    learning_rate: float = 3e-4
    crop: int = 224
    batch_size: int = 4
    seed: int = 0


@dataclass
class Outcome:
    """Scores before and after fine-tuning, on photos that were held out.

    IoU of each photo with the weights as they were, with a threshold chosen on the other photos, and with the
    weights fitted to the other photos and a threshold chosen on them.

    Attributes:
        names: Names of the photos.
        before: (N,) at the model's own threshold.
        threshold_only: (N,) with the old weights and a new threshold.
        after: (N,) with new weights and a new threshold.
        old_threshold: For all photos, with the old weights.
        new_threshold: For all photos, with new weights.
    """

    names: list[str]
    before: NDArray[np.float64]
    threshold_only: NDArray[np.float64]
    after: NDArray[np.float64]
    old_threshold: float
    new_threshold: float

    @property
    def choice(self) -> str:
        """What does best on unseen photos: ``'weights'``, ``'threshold'``, or ``'nothing'``.

        Something new has to be better on average and on at least half of the photos.
        """
        gains = {'weights': self.after - self.before, 'threshold': self.threshold_only - self.before}
        helps = {
            name: gain.mean() for name, gain in gains.items() if gain.mean() > 0 and np.mean(gain >= 0) >= 0.5
        }
        return max(helps, key=helps.__getitem__) if helps else 'nothing'


def cross_validate(
    model: BlindSRSegmentor,
    photos: Sequence[LabelledPhoto],
    schedule: Schedule,
    folds: int = 5,
    progress: Progress | None = None,
) -> Outcome:
    """Measure the gain of fine-tuning: each photo is scored by a model that was fitted to other photos.

    Args:
        model: The model as it is; not changed.
        photos: Labelled photos, at least :data:`FEWEST`.
        schedule: How to train.
        folds: Groups of photos that are held out in turn; at most as many as photos.
        progress: Called with the groups done and the groups in all.

    Raises:
        ValueError: There are too few photos, or too few groups.
    """
    if len(photos) < FEWEST:
        raise ValueError(
            f'{len(photos)} photos are too few to tell whether fine-tuning helps; label {FEWEST} or more'
        )
    folds = min(folds, len(photos))
    if folds < 2:
        raise ValueError(f'folds must be at least 2, got {folds}')
    fold_of = np.random.default_rng(schedule.seed).permutation(len(photos)) % folds
    old = _scores(model, photos)
    new = np.empty_like(old)
    for fold in range(folds):
        held_out = np.flatnonzero(fold_of == fold)
        tuned = finetune(model, [photos[i] for i in np.flatnonzero(fold_of != fold)], schedule)
        new[held_out] = _scores(tuned, [photos[i] for i in held_out])
        if progress is not None:
            progress(fold + 1, folds)
    return Outcome(
        [photo.name for photo in photos],
        _scores(model, photos, [model.threshold])[:, 0],
        _at_the_others_threshold(old, fold_of),
        _at_the_others_threshold(new, fold_of),
        float(THRESHOLDS[old.mean(0).argmax()]),
        float(THRESHOLDS[new.mean(0).argmax()]),
    )


def finetune(
    model: BlindSRSegmentor, photos: Sequence[LabelledPhoto], schedule: Schedule
) -> BlindSRSegmentor:
    """A copy of the model whose segmentor is fitted to photos; S and all batch-norm statistics stay.

    Args:
        model: The model as it is; not changed.
        photos: What to fit it to.
        schedule: How to train.
    """
    model = copy.deepcopy(model).eval()
    model.requires_grad_(False)
    parts = [part for part in (model.segmentor, model.blur_skip) if part is not None]
    parameters = [parameter.requires_grad_() for part in parts for parameter in part.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=schedule.learning_rate)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, schedule.iterations)
    rng = np.random.default_rng(schedule.seed)
    normalized = [model.normalize(photo.sr_image) for photo in photos]
    for _ in range(schedule.iterations):
        chosen = rng.integers(len(photos), size=schedule.batch_size)
        crops = [_crop(normalized[i][0], photos[i].label, schedule.crop, rng) for i in chosen]
        loss = _loss(model, crops, [photos[i].blur_kernel for i in chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        decay.step()
    return model.requires_grad_(False)


def _loss(
    model: BlindSRSegmentor, crops: list[tuple[Tensor, Tensor]], kernels: list[Tensor | None]
) -> Tensor:
    """The segmentor's own loss, without its auxiliary figures."""
    device = next(model.segmentor.parameters()).device
    images = torch.stack([image for image, _ in crops]).to(device)
    size = tuple(images.shape[-2:])
    samples = [SegDataSample(metainfo=dict(img_shape=size, ori_shape=size)) for _ in crops]
    for sample, (_, label) in zip(samples, crops, strict=True):
        sample.gt_sem_seg = PixelData(data=label[None].to(device))
    kernel = None if kernels[0] is None else torch.cat(kernels).to(device)
    with model.conditioned(kernel):
        losses = model.segmentor.loss(images, samples)
    return sum(value for name, value in losses.items() if 'loss' in name)


def _crop(image: Tensor, label: Tensor, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A square of both, turned and mirrored; half of them hold a crack pixel if there is one."""
    height, width = label.shape
    rows = columns = min(size, height, width)
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    cracks = label.nonzero()
    if len(cracks) and rng.random() < 0.5:
        row, column = cracks[rng.integers(len(cracks))].tolist()
        top = int(np.clip(row - rng.integers(rows), 0, height - rows))
        left = int(np.clip(column - rng.integers(columns), 0, width - columns))
    image = image[:, top : top + rows, left : left + columns]
    label = label[top : top + rows, left : left + columns]
    turns = int(rng.integers(4))
    image, label = image.rot90(turns, (-2, -1)), label.rot90(turns, (-2, -1))
    if rng.random() < 0.5:
        image, label = image.flip(-1), label.flip(-1)
    return image, label


def _scores(
    model: BlindSRSegmentor, photos: Sequence[LabelledPhoto], thresholds: Sequence[float] = THRESHOLDS
) -> NDArray[np.float64]:
    """IoU of each photo (N) at each threshold (T): (N, T)."""
    scores = []
    for photo in photos:
        size = tuple(side // model.scale for side in photo.label.shape)
        meta = dict(ori_shape=size, img_shape=size, pad_shape=size)
        device = next(model.segmentor.parameters()).device
        kernel = None if photo.blur_kernel is None else photo.blur_kernel.to(device)
        with torch.no_grad():
            logits = model.segment(photo.sr_image.to(device), kernel, [meta])
        probability = crack_probability(logits)[0, 0].float().cpu().numpy()
        scores.append(iou_sweep(probability, photo.label.numpy(), thresholds))
    return np.array(scores)


def _at_the_others_threshold(scores: NDArray[np.float64], fold_of: NDArray[np.int64]) -> NDArray[np.float64]:
    """IoU (N,) of each photo at the threshold that is best for the photos outside of its fold."""
    chosen = np.array([scores[fold_of != fold].mean(0).argmax() for fold in fold_of])
    return scores[np.arange(len(scores)), chosen]
