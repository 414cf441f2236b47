"""How far measured widths and lengths are off, and what interval follows for the true ones.

A model draws cracks too wide or too thin. How much is measured on rendered cracks of known width and kept as
a table: measured width, bias, spread (see :mod:`.width_check`). A width that was measured is corrected by
the bias; its standard deviation is

    σ² = spread² + (width σ_s / s)²

with the scale s and its standard deviation σ_s. The spread is that of whole measurements, so it holds what
the model and the geometry contribute, and the correction itself. Without a table the geometry alone is known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

FORMAT = 'csbsr_mm width errors 1'
SUFFIX = '.widths.json'
COVERAGE = 0.9
WIDTHS = ('mean_width', 'width_95', 'max_width', 'subpixel_mean', 'subpixel_median', 'subpixel_max')
ABOUT = ('source', 'threshold', 'widths', 'blurs')
NODES = 9
BANDWIDTH = 0.35
"""Of the average around a node, in logarithms of the measured width."""
MASK_STD, SUBPIXEL_STD, LENGTH_STD = 0.2, 0.05, 0.004
"""What the geometry contributes: to widths of a mask and between pixels in output pixels, which
``tools/benchmarks/benchmark_widths.py`` measures, and to a length in parts of it."""


class Estimate(NamedTuple):
    """A true value, as far as it is known: normally distributed around ``value``.

    Attributes:
        value: The best guess.
        std: Its standard deviation.

    Example:
        >>> width = Estimate(0.31, 0.04)
        >>> [round(end, 2) for end in width.interval()], round(width.chance_above(0.2), 3)
        ([0.24, 0.38], 0.997)
    """

    value: float
    std: float

    def interval(self, coverage: float = COVERAGE) -> tuple[float, float]:
        """Where the true value is with a probability of ``coverage``; never below 0."""
        reach = NormalDist().inv_cdf((1 + coverage) / 2) * self.std
        return max(self.value - reach, 0.0), self.value + reach

    def chance_above(self, limit: float) -> float:
        """Probability that the true value is above ``limit``."""
        if self.std == 0:
            return float(self.value > limit)
        return NormalDist().cdf((self.value - limit) / self.std)

    def scaled(self, scale: float, std: float | None = None) -> Estimate:
        """In another unit: ``scale`` of them, with its standard deviation, make one of this."""
        part = (std or 0.0) / scale
        return Estimate(scale * self.value, scale * math.hypot(self.std, self.value * part))


@dataclass(frozen=True)
class ErrorCurve:
    """Bias and spread over the measured width; all arrays have one entry per node.

    Between nodes it is linear. Beyond the first the bias goes to 0 with the width, beyond the last the spread
    grows with the width.

    Attributes:
        measured: Measured widths, ascending.
        bias: Measured minus true.
        spread: Standard deviation of the true width around the corrected one.
    """

    measured: Sequence[float]
    bias: Sequence[float]
    spread: Sequence[float]

    def __post_init__(self) -> None:
        if not len(self.measured) == len(self.bias) == len(self.spread) > 0:
            raise ValueError('a curve needs as many biases and spreads as measured widths, and at least one')
        if not all(np.diff(self.measured) > 0) or min(self.measured) <= 0:
            raise ValueError(f'measured widths must be positive and ascend, got {list(self.measured)}')
        if not all(spread >= 0 for spread in self.spread):
            raise ValueError(f'spreads must not be negative, got {list(self.spread)}')

    def corrected(self, measured: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Measured widths without their bias; never below 0, and never falling while the measured rise."""
        table = np.maximum.accumulate(np.maximum(np.subtract(self.measured, self.bias), 0))
        below = np.minimum(np.divide(measured, self.measured[0]), 1) * table[0]
        beyond = np.maximum(np.subtract(measured, self.measured[-1]), 0)
        inside = np.interp(measured, self.measured, table)
        return np.where(np.less(measured, self.measured[0]), below, inside + beyond)

    def estimate(self, measured: float) -> Estimate:
        """The true width where ``measured`` was measured."""
        spread = float(np.interp(measured, self.measured, self.spread))
        return Estimate(float(self.corrected(measured)), spread * max(measured / self.measured[-1], 1.0))


def fit_curve(true: NDArray[np.floating], measured: NDArray[np.floating], nodes: int = NODES) -> ErrorCurve:
    """Average true widths around measured ones: locally linear, with a bell over the logarithm of the width.

    The spread has the uncertainty of average and variance added.

    Args:
        true: (N,) true widths, evenly spread over the logarithm of the widths that matter.
        measured: (N,) what was measured.
        nodes: Number of nodes at most; they lie at even shares of the measured widths.

    Returns:
        The curve.

    Raises:
        ValueError: There are fewer than 8 pairs, or a measured width is not positive.

    Example:
        >>> true = np.geomspace(0.5, 4, 200)
        >>> curve = fit_curve(true, true + 0.3)
        >>> round(float(curve.corrected(2.3)), 2)
        2.0
    """
    if len(true) < 8:
        raise ValueError(f'a curve needs at least 8 cracks that were found, got {len(true)}; render more')
    if np.min(measured) <= 0:
        raise ValueError(f'measured widths must be positive, got {np.min(measured)}')
    places = np.unique(np.round(np.quantile(measured, np.linspace(0.02, 0.98, nodes)), 6))
    rows = [_local_fit(place, np.asarray(true, float), np.asarray(measured, float)) for place in places]
    return ErrorCurve(places.tolist(), *(list(column) for column in zip(*rows, strict=True)))


def _local_fit(place: float, true: NDArray[np.float64], measured: NDArray[np.float64]) -> tuple[float, float]:
    """Bias and spread at one measured width."""
    bandwidth = BANDWIDTH
    while True:
        weight = np.exp(-np.square(np.log(measured / place) / bandwidth) / 2)
        count = weight.sum() ** 2 / np.square(weight).sum()
        if count >= min(8, 0.9 * len(true)):
            break
        bandwidth *= 1.25
    offset = measured - place
    design = np.column_stack([np.ones(len(true)), offset]) * np.sqrt(weight)[:, None]
    # A slope of its own only where measured widths differ enough to tell one.
    design = design if np.average(offset**2, weights=weight) > 1e-8 else design[:, :1]
    fit, *_ = np.linalg.lstsq(design, true * np.sqrt(weight), rcond=None)
    line = fit[0] + (fit[1] * offset if len(fit) > 1 else 0)
    variance = np.average(np.square(true - line), weights=weight) * count / max(count - len(fit), 1)
    # Few cracks tell the variance badly: as much wider as Student's distribution is than the normal one.
    level = (1 + COVERAGE) / 2
    wider = special.stdtrit(count - len(fit), level) / special.ndtri(level)
    return float(place - fit[0]), float(wider * math.sqrt(variance * (1 + 1 / count)))


@dataclass(frozen=True)
class WidthErrors:
    """The curves of one model; lengths in pixels of the photo.

    Attributes:
        curves: Curve of each measure of :data:`WIDTHS` that was looked at.
        length_bias: Measured minus true length, in parts of the measured one.
        length_spread: Its standard deviation.
        about: What they belong to, ``weights`` (checksum) and ``threshold``; how they were measured, which
            ``source`` says in words.
    """

    curves: Mapping[str, ErrorCurve]
    length_bias: float = 0.0
    length_spread: float = LENGTH_STD
    about: Mapping[str, Any] = field(default_factory=dict)

    def estimate(self, name: str, measured: float) -> Estimate | None:
        """The true value of a measure; None where nothing is known about its errors."""
        if name == 'length':
            return Estimate((1 - self.length_bias) * measured, self.length_spread * measured)
        curve = self.curves.get(name)
        return None if curve is None else curve.estimate(measured)

    def suits(self, threshold: float) -> bool:
        """Whether they were measured at this threshold."""
        return math.isclose(self.about.get('threshold', math.nan), threshold)

    def as_dict(self) -> dict[str, Any]:
        """What :meth:`from_dict` reads, for JSON."""
        rounded = {
            name: {part: [round(value, 4) for value in values] for part, values in asdict(curve).items()}
            for name, curve in self.curves.items()
        }
        return {**asdict(replace(self, curves={})), 'format': FORMAT, 'curves': rounded}

    def write(self, path: str | Path) -> None:
        """Write JSON."""
        Path(path).write_text(json.dumps(self.as_dict(), indent=1) + '\n', encoding='utf-8')

    @classmethod
    def read(cls, path: str | Path) -> WidthErrors:
        """Read what :meth:`write` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding='utf-8')))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f'{path} is no table of width errors ({error}); tools/analysis_tools/width_bias.py writes one'
            ) from error

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> WidthErrors:
        """From the content of a file."""
        if content.get('format') != FORMAT:
            raise ValueError(f'format {content.get("format")!r}, expected {FORMAT!r}')
        missing = [name for name in ABOUT if name not in content['about']]
        if missing:
            raise ValueError(f'nothing is said about {", ".join(missing)}')
        curves = {name: ErrorCurve(**curve) for name, curve in content['curves'].items()}
        return cls(curves, content['length_bias'], content['length_spread'], content['about'])


def find_errors(path: str | Path, weights: str) -> WidthErrors | None:
    """The table beside a model file, NAME.widths.json.

    Args:
        path: The model file.
        weights: Checksum of its weights.

    Returns:
        None if there is no table, or if it was measured with other weights.
    """
    table = Path(path).with_suffix(SUFFIX)
    if not table.is_file():
        return None
    errors = WidthErrors.read(table)
    return errors if errors.about.get('weights') == weights else None


def geometry_errors(scale: int) -> WidthErrors:
    """What is known of any model: the errors of measuring its mask, or its probability.

    Args:
        scale: Output pixels per pixel of the photo.
    """
    stds = {name: (SUBPIXEL_STD if name.startswith('subpixel') else MASK_STD) / scale for name in WIDTHS}
    # Such errors do not grow with the width: no crack is beyond the last node.
    ends = (1 / scale, 1e6 / scale)
    curves = {name: ErrorCurve(ends, (0.0, 0.0), (std, std)) for name, std in stds.items()}
    return WidthErrors(curves, about=dict(source='geometry alone; the errors of the model are not known'))
