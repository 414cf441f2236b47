"""Scores of crack probabilities for each photo, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.functional.calibration import CalibrationCounts, calibration_counts, expected_calibration_error
from csbsr_mm.functional.centerline import centerline_sweep, cl_dice
from csbsr_mm.functional.overlap import iou_sweep
from csbsr_mm.functional.surface import hausdorff_sweep

THRESHOLDS = np.arange(1, 100) / 100
RESAMPLES = 2000


@dataclass
class PhotoScores:
    """Scores of photos at all thresholds, collected one photo after the other.

    Attributes:
        names: Names of the photos.
        iou: IoU at :data:`THRESHOLDS`, one array per photo.
        hd95: Hausdorff distance in pixels at the same thresholds; the photo's width where only one is empty.
        cl_dice: The clDice at the same thresholds.
        calibration: Sums of probabilities and labels in bins.
        alarms: Share of the photo that is called crack at the same thresholds, of photos without a crack,
            else None.
    """

    names: list[str] = field(default_factory=list)
    iou: list[NDArray[np.float64]] = field(default_factory=list)
    hd95: list[NDArray[np.float64]] = field(default_factory=list)
    cl_dice: list[NDArray[np.float64]] = field(default_factory=list)
    calibration: list[CalibrationCounts] = field(default_factory=list)
    alarms: list[NDArray[np.float64] | None] = field(default_factory=list)

    def add(self, name: str, probability: NDArray[np.float32], target: NDArray[np.bool_]) -> None:
        """Score one photo's probability (H, W) against its true mask (H, W)."""
        self.names.append(name)
        self.iou.append(np.asarray(iou_sweep(probability, target, THRESHOLDS)))
        self.hd95.append(np.asarray(hausdorff_sweep(probability, target, THRESHOLDS)))
        self.cl_dice.append(cl_dice(centerline_sweep(probability, target, THRESHOLDS)))
        self.calibration.append(calibration_counts(probability, target))
        shares = None
        if not target.any():
            shares = np.array([(probability > threshold).mean() for threshold in THRESHOLDS])
        self.alarms.append(shares)

    def best_threshold(self) -> float:
        """The threshold with the highest mean IoU."""
        return float(THRESHOLDS[np.mean(self.iou, 0).argmax()])

    def subset(self, prefix: str) -> PhotoScores:
        """The photos whose names begin with ``prefix``."""
        kept = [index for index, name in enumerate(self.names) if name.startswith(prefix)]
        lists = {part.name: getattr(self, part.name) for part in fields(self)}
        return PhotoScores(**{name: [values[index] for index in kept] for name, values in lists.items()})

    def figures(self, threshold: float) -> dict[str, tuple[float, float, float]]:
        """Figures with their 95 % intervals, by the bootstrap over photos.

        Args:
            threshold: One of :data:`THRESHOLDS`, chosen elsewhere, for the figures that need one.

        Returns:
            Value, lower and upper end: ``IoU``, ``HD95`` and ``clDice`` at the threshold; ``IoU_max``, whose
            threshold is chosen on these photos anew in every resample, and ``AIU``; ``ECE``, of all pixels
            together; ``alarms``, the share called crack of photos without one, if there are any.
        """
        at = int(np.abs(THRESHOLDS - threshold).argmin())
        iou, hd95, dice = np.array(self.iou), np.array(self.hd95), np.array(self.cl_dice)
        clear = [shares[at] for shares in self.alarms if shares is not None]
        found = {
            'IoU': _interval(iou[:, at, None]),
            'IoU_max': _interval(iou),
            'AIU': _interval(iou.mean(1, keepdims=True)),
            'HD95': _interval(hd95[:, at, None]),
            'clDice': _interval(dice[:, at, None]),
            'ECE': _calibration_interval(self.calibration),
        }
        return found | ({'alarms': _interval(np.array(clear)[:, None])} if clear else {})


def _interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Largest column mean of values (N, T) and its 95 % interval over resampled rows."""
    low, high = np.quantile((_resamples(len(values)) @ values).max(1), [0.025, 0.975])
    return float(values.mean(0).max()), float(low), float(high)


def _calibration_interval(counts: list[CalibrationCounts]) -> tuple[float, float, float]:
    """Calibration error of all pixels together and its 95 % interval over resampled photos."""
    sums = {name: np.array([getattr(count, name) for count in counts]) for name in CalibrationCounts._fields}

    def error(weights: NDArray[np.float64]) -> float:
        return expected_calibration_error(
            CalibrationCounts(**{name: weights @ values for name, values in sums.items()})
        )

    low, high = np.quantile([error(weights) for weights in _resamples(len(counts))], [0.025, 0.975])
    return error(np.ones(len(counts))), float(low), float(high)


def _resamples(count: int) -> NDArray[np.float64]:
    """Weights (RESAMPLES, N) of N photos, drawn with replacement."""
    return np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
