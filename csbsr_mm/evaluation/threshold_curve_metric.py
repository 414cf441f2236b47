"""Base of the metrics that measure a probability map at many thresholds."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from csbsr_mm.functional._levels import DEFAULT_THRESHOLDS
from csbsr_mm.functional.probability import class_probabilities
from csbsr_mm.metrics.curve import ThresholdCurve
from csbsr_mm.metrics.measures.base import Measure, Record, compact
from csbsr_mm.utils.checks import check_choice

SCORES = ('auto', 'logits', 'mask')


class ThresholdCurveMetric(BaseMetric):
    """Measures the foreground probability of every image at many thresholds.

    The probability is ``seg_prob`` of the data sample where there is one, else made from ``seg_logits``: the
    softmax over several channels; a single channel is taken as it is, because MMSegmentation has applied the
    sigmoid. What MaskFormer and Mask2Former call ``seg_logits`` are mask scores (``scores='mask'``). Of
    test-time augmentation, only ``BlindSRTTAModel`` gives the probabilities of its merged prediction;
    samples of MMSegmentation's ``SegTTAModel`` hold the last version's, and are refused. Only a curve per
    image is kept and sent between processes.

    In a data set of more than two classes the class's name ends the names of the results: ``AIU_sidewalk``.

    Args:
        measures: What to measure, by name; see :mod:`csbsr_mm.metrics.measures`.
        thresholds: Thresholds of the curve; 0.01, 0.02, ... 0.99 by default. Probabilities are compared in
            float32 and have to be greater.
        at: Thresholds to report beside the best one, such as one chosen on validation data.
        foreground_class: Index of the class to measure; also its channel, if there are several.
        scores: What several channels of ``seg_logits`` are: ``'logits'``, or ``'mask'`` for sums of mask
            scores, whose share in all classes' is the probability. ``'auto'``: logits, and scores without a
            negative value anywhere in an image are refused, because they may be either.
        ignore_index: Label of pixels to leave out.
        workers: Threads that measure while the model goes on; 0 measures at once. The compiled functions do
            not hold Python's lock.
        per_image_csv: File to write the values of each image to.
        curve_csv: File to write the curve to.
        curve_png: File to draw the curve to.
        collect_device: As in MMEngine's metrics.
        prefix: As in MMEngine's metrics.
    """

    default_prefix = ''

    def __init__(
        self,
        measures: Mapping[str, Measure],
        thresholds: ArrayLike | None = None,
        at: Sequence[float] = (0.5,),
        foreground_class: int = 1,
        scores: str = 'auto',
        ignore_index: int = 255,
        workers: int = 0,
        per_image_csv: str | None = None,
        curve_csv: str | None = None,
        curve_png: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        chosen = DEFAULT_THRESHOLDS if thresholds is None else np.asarray(thresholds, np.float32)
        if chosen.ndim != 1 or not len(chosen):
            raise ValueError(f'thresholds must be a list of numbers, got {thresholds!r}')
        check_choice('scores', scores, SCORES)
        self.measures = dict(measures)
        self.scores = scores
        self.thresholds = chosen
        self.at = tuple(at)
        self.foreground_class = foreground_class
        self.ignore_index = ignore_index
        self.per_image_csv = per_image_csv
        self.curve_csv = curve_csv
        self.curve_png = curve_png
        self.workers = workers
        self._executor: ThreadPoolExecutor | None = None

    def measure(self, prob: NDArray, target: NDArray, ignore: NDArray | None) -> dict[str, Record]:
        """What to keep of one image: the record of each measure over :attr:`measured_thresholds`."""
        return {
            name: compact(measure.count(prob, target, ignore, self.measured_thresholds))
            for name, measure in self.measures.items()
        }

    @property
    def measured_thresholds(self) -> NDArray[np.float32]:
        """The curve's thresholds, then those of ``at``."""
        return np.concatenate([self.thresholds, np.asarray(self.at, np.float32)])

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Measure a batch, or have it measured."""
        for sample in data_samples:
            image = str(sample.get('img_path', ''))
            prob, target, ignore = self._masks(sample, image)
            if self.workers:
                self.results.append(self._submit(image, prob, target, ignore))
            else:
                self.results.append(self._measure(image, prob, target, ignore))

    def evaluate(self, size: int) -> dict[str, float]:
        """Wait for the workers, then collect and summarise as every metric does."""
        self.results[:] = [
            result.result() if isinstance(result, Future) else result for result in self.results
        ]
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None
        return super().evaluate(size)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Best value and its threshold, mean over thresholds, values at given thresholds."""
        metrics: dict[str, float] = {}
        if not results:
            return metrics
        curves: list[ThresholdCurve] = []
        for name, measure in self.measures.items():
            kept = [result[name] for result in results]
            records = {key: np.stack([record[key] for record in kept]) for key in kept[0]}
            curves += measure.curves(records)
            metrics |= measure.figures(records, len(self.thresholds))
        for curve in curves:
            metrics |= curve.figures(self.thresholds, self.at)
        if self.per_image_csv is not None:
            self._write_images(self.per_image_csv, results, curves)
        if self.curve_csv is not None:
            self._write_curves(self.curve_csv, curves)
        if self.curve_png is not None:
            self._draw_curves(self.curve_png, curves)
        return self._named(metrics)

    def _named(self, metrics: dict[str, float]) -> dict[str, float]:
        """Say which class was measured where there are more than background and foreground."""
        classes = (self.dataset_meta or {}).get('classes') or ()
        if len(classes) <= 2:
            return metrics
        label = str(classes[self.foreground_class]).replace(' ', '_')
        return {f'{name}_{label}': value for name, value in metrics.items()}

    def _masks(self, sample: dict, image: str) -> tuple[NDArray, NDArray, NDArray | None]:
        """Foreground probability, target, and pixels to ignore of one sample, on the host."""
        if 'gt_sem_seg' not in sample:
            raise KeyError(f'gt_sem_seg is missing for {image}: add LoadAnnotations to the test pipeline')
        prob = foreground_probability(sample, self.foreground_class, image, self.scores)
        label = sample['gt_sem_seg']['data'].squeeze(0).cpu().numpy()
        if prob.shape != label.shape:
            raise ValueError(
                f'prediction {prob.shape} and label {label.shape} of {image} differ in size; predict at the '
                "label's size"
            )
        ignore = label == self.ignore_index
        return prob, label == self.foreground_class, ignore if ignore.any() else None

    def _measure(self, image: str, prob: NDArray, target: NDArray, ignore: NDArray | None) -> dict[str, Any]:
        return {'image': image, **self.measure(prob, target, ignore)}

    def _submit(self, image: str, prob: NDArray, target: NDArray, ignore: NDArray | None) -> Future:
        """Queue an image; waits if the workers are far behind, so that few probability maps are held."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.workers)
        behind = len(self.results) - 4 * self.workers
        if behind >= 0 and isinstance(self.results[behind], Future):
            self.results[behind] = self.results[behind].result()
        return self._executor.submit(self._measure, image, prob, target, ignore)

    def _write_images(self, path: str, results: list[dict[str, Any]], curves: list[ThresholdCurve]) -> None:
        """One row an image: each quantity at its best threshold, at those asked for, and on average."""
        count = len(self.thresholds)
        columns: dict[str, Iterable[Any]] = {'image': [result['image'] for result in results]}
        for curve in curves:
            if curve.best:
                columns[f'{curve.name}_{curve.best}'] = curve.per_image[:, curve.best_index(count)]
                columns[curve.average_name] = curve.per_image[:, :count].mean(1)
            for threshold, values in zip(self.at, curve.per_image[:, count:].T, strict=True):
                columns[f'{curve.name}_at_{threshold:g}'] = values
        _write_csv(Path(path), columns)

    def _write_curves(self, path: str, curves: list[ThresholdCurve]) -> None:
        count = len(self.thresholds)
        columns: dict[str, Iterable[Any]] = {'threshold': [f'{t:g}' for t in self.thresholds]}
        columns |= {curve.name: curve.values[:count] for curve in curves}
        if curves and curves[0].one_empty is not None:
            columns['one_empty'] = curves[0].one_empty[:count]
        _write_csv(Path(path), columns)

    def _draw_curves(self, path: str, curves: list[ThresholdCurve]) -> None:
        # Figure without pyplot: no global state, no display.
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5, 3.5), layout='constrained')
        axes = figure.subplots()
        order = np.argsort(self.thresholds)
        for curve in curves:
            (line,) = axes.plot(self.thresholds[order], curve.values[order], label=curve.name)
            if curve.best:
                best = curve.best_index(len(self.thresholds))
                axes.plot(self.thresholds[best], curve.values[best], 'o', color=line.get_color())
        axes.set(xlabel='threshold', xlim=(0, 1))
        axes.legend()
        axes.grid(alpha=0.3)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)


def foreground_probability(
    sample: dict, foreground_class: int, image: str = '', scores: str = 'auto'
) -> NDArray[np.float32]:
    """Probability of one class in a predicted data sample.

    Args:
        sample: Data sample as a dict, with ``seg_prob`` or ``seg_logits`` of shape (C, H, W).
        foreground_class: Index of the class.
        image: Name for error messages.
        scores: What several channels of ``seg_logits`` are; see :class:`ThresholdCurveMetric`.

    Returns:
        (H, W) float32.

    Raises:
        KeyError: If there is no prediction.
        ValueError: If the class has no channel, the channel holds no probabilities, it cannot be told what
            the channels are, or they are not those of the sample's prediction.
    """
    field = next((name for name in ('seg_prob', 'seg_logits') if name in sample), None)
    if field is None:
        raise KeyError(f'neither seg_prob nor seg_logits is there for {image}: run the model in predict mode')
    values = sample[field]['data'].detach().float()
    if field == 'seg_logits':
        _refuse_one_version_of_many(sample, values, image)
    if len(values) == 1:
        prob = values[0]
    elif foreground_class < len(values):
        prob = (values if field == 'seg_prob' else _probabilities(values, scores, image))[foreground_class]
    else:
        raise ValueError(
            f'foreground_class is {foreground_class}, but {field} of {image} has {len(values)} channels'
        )
    # NaN is neither, and would pass for "no crack": the best IoU on an image without one.
    if prob.numel() and not (prob.min() >= 0 and prob.max() <= 1):
        raise ValueError(
            f'{field} of {image} ranges from {prob.min():.3g} to {prob.max():.3g}, expected probabilities, '
            'as MMSegmentation and csbsr_mm predict them; NaN means that the network has diverged'
        )
    return prob.cpu().numpy()


def _probabilities(values: Tensor, scores: str, image: str) -> Tensor:
    """Probabilities (C, H, W) of several channels of ``seg_logits``."""
    if scores == 'mask':
        return values / values.sum(0).clamp(min=torch.finfo(values.dtype).tiny)
    if scores == 'auto' and values.numel() and values.min() >= 0:
        raise ValueError(
            f'seg_logits of {image} have no negative value: MaskFormer and Mask2Former give mask scores '
            "under that name, whose softmax means nothing. Set scores='mask' in the metric for those, "
            "scores='logits' for others"
        )
    return class_probabilities(values)


def _refuse_one_version_of_many(sample: dict, values: Tensor, image: str) -> None:
    """Refuse what SegTTAModel merges: its prediction is that of all versions, its logits the last one's."""
    is_foreign = bool(sample.get('flip', False))
    if not is_foreign and values.numel() and 'pred_sem_seg' in sample:
        predicted = sample['pred_sem_seg']['data'].reshape(1, *values.shape[1:]).long()
        if len(values) > 1:
            lead = values.max(0).values - values.gather(0, predicted.clamp(0, len(values) - 1))[0]
        else:  # Whatever the threshold, what is crack has the higher values.
            background, crack = values[predicted != 1], values[predicted == 1]
            lead = background.max() - crack.min() if len(background) and len(crack) else values.new_zeros(1)
        is_foreign = bool((lead > 1e-3 * values.abs().max()).any())
    if is_foreign:
        raise ValueError(
            f'seg_logits of {image} are not those of its prediction, as with test-time augmentation by '
            "SegTTAModel, which leaves the last version's there; set tta_model.type='BlindSRTTAModel', which "
            'works for any model of MMSegmentation'
        )


def _write_csv(path: Path, columns: dict[str, Iterable[Any]]) -> None:
    """Write columns of equal length under their names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
