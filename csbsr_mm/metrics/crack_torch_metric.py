"""Everything that crack papers report, for torchmetrics and what is built on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from csbsr_mm._extras import need

need('CrackTorchMetric', 'torchmetrics')

from torchmetrics import Metric  # noqa: E402

from .crack_metrics import MEASURES, CrackMetrics  # noqa: E402
from .record_bytes import RecordBytes  # noqa: E402


class CrackTorchMetric(Metric):
    """The figures of :class:`CrackMetrics` as a ``torchmetrics.Metric``, by themselves or in a collection.

    The state is a list of (1, L) bytes, the record of each image, some 24 kB for all measures at 99
    thresholds. Processes send each other these, so that the figures are those of one process that has seen
    every image; images that a sampler repeats to fill up the last batch count twice, as in every metric of
    torchmetrics. A process may have no image at all.

    Args:
        thresholds: As of :class:`CrackMetrics`.
        at: As of :class:`CrackMetrics`.
        measures: As of :class:`CrackMetrics`.
        percentile: As of :class:`CrackMetrics`.
        empty: As of :class:`CrackMetrics`.
        smooth: As of :class:`CrackMetrics`.
        tolerance: As of :class:`CrackMetrics`.
        ignore_index: Value of ``target`` that marks pixels to leave out, or None.
        **kwargs: As of ``torchmetrics.Metric``, such as ``sync_on_compute``.

    Raises:
        ImportError: ``torchmetrics`` is not installed: ``pip install 'csbsr_mm[torchmetrics]'``.
        ValueError: A measure is unknown, or an argument is out of range.

    Example:
        >>> metric = CrackTorchMetric(measures=['overlap', 'hausdorff'], thresholds=[0.1, 0.6, 0.95])
        >>> probs, truth = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8, dtype=torch.long)
        >>> probs[:, 2:4, 2:4], probs[:, 2:4, 5:7], truth[:, 2:4, 2:4] = 0.9, 0.4, 1
        >>> metric.update(probs, truth)
        >>> found = metric.compute()
        >>> found['HD95_min'].item(), round(found['AIU'].item(), 3)
        (0.0, 0.5)
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    records: list[Tensor]

    def __init__(
        self,
        thresholds: ArrayLike | None = None,
        at: Sequence[float] = (0.5,),
        measures: Sequence[str] = MEASURES,
        percentile: float | Sequence[float] = 95.0,
        empty: str | float = 'image_width',
        smooth: float = 1e-5,
        tolerance: Sequence[float] = (0, 2, 5),
        ignore_index: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ignore_index = ignore_index
        self._options: dict[str, Any] = dict(
            thresholds=thresholds,
            at=at,
            measures=measures,
            percentile=percentile,
            empty=empty,
            smooth=smooth,
            tolerance=tolerance,
        )
        self._ruler = CrackMetrics(**self._options)
        self._codec = RecordBytes(self._ruler)
        self.add_state('records', default=[], dist_reduce_fx='cat')

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Measure a batch.

        Args:
            preds: (N, H, W) or (N, 1, H, W) probability of a crack in [0, 1], or (H, W) of one image; on any
                device. Of two channels of a softmax give ``preds[:, 1]``.
            target: The same of the masks, 0 and another value.

        Raises:
            ValueError: Shapes differ, ``preds`` is of integers or not in [0, 1], or ``target`` holds more
                than two values beside ``ignore_index``.
        """
        images, masks = _images(preds, 'preds'), _images(target, 'target')
        if len(images) != len(masks):
            raise ValueError(f'preds are {len(images)} images and target {len(masks)}; give a mask for each')
        for number, (prob, mask) in enumerate(zip(images, masks, strict=True)):
            ignore = None if self.ignore_index is None else mask == self.ignore_index
            records = self._ruler.measure(prob, mask, ignore, f'image {number} of the batch')
            content = torch.from_numpy(self._codec.pack(records))
            self.records.append(content[None].to(self.device))

    def compute(self) -> dict[str, Tensor]:
        """The set's figures by name, float64 scalars (float32 on devices without float64).

        Raises:
            ValueError: No image was measured.
        """
        dtype = torch.float32 if self.device.type == 'mps' else torch.float64
        figures = self.accumulated().compute()
        return {name: torch.tensor(value, dtype=dtype, device=self.device) for name, value in figures.items()}

    def accumulated(self) -> CrackMetrics:
        """The images that this process knows of, for curves and values of each image.

        Within ``metric.sync_context()`` these are the images of all processes.
        """
        metrics = CrackMetrics(**self._options)
        states = self.records if isinstance(self.records, list) else [self.records]
        for state in states:
            for content in state.to(torch.uint8).cpu().numpy():
                metrics.add(self._codec.unpack(content))
        return metrics

    def sync(self, *args: Any, **kwargs: Any) -> None:
        """Gather the images of all processes; see ``torchmetrics.Metric.sync``."""
        if isinstance(self.records, list) and not self.records:
            # Without an image there still is something to send: no image, of the right kind.
            self.records.append(torch.empty((0, self._codec.size), dtype=torch.uint8, device=self.device))
        super().sync(*args, **kwargs)


def _images(values: Tensor, name: str) -> Tensor:
    """(N, H, W) images of a batch."""
    if values.ndim == 2:
        return values[None]
    if values.ndim == 4 and values.shape[1] == 1:
        return values[:, 0]
    if values.ndim != 3:
        raise ValueError(
            f'{name} must be (N, H, W), (N, 1, H, W) or (H, W), got {tuple(values.shape)}; of several '
            'channels give the one of the crack, such as preds[:, 1]'
        )
    return values
