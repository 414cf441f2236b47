"""Protocols by name: which measures each of them reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from csbsr_mm.metrics import MEASURES


class Protocol(NamedTuple):
    """What a protocol reports.

    Attributes:
        measures: Of :data:`csbsr_mm.metrics.MEASURES`.
        meaning: One line for people.
    """

    measures: tuple[str, ...]
    meaning: str


PROTOCOLS = {
    'paper': Protocol(('overlap', 'hausdorff'), 'IoU and HD95 of the CSBSR paper, averaged over images'),
    'deepcrack': Protocol(('f1',), 'F1 with tolerances: ODS, OIS and AP, pooled and averaged over images'),
    'pooled': Protocol(('pooled_overlap',), 'IoU of all pixels together, as IoUMetric of MMSegmentation'),
    'topology': Protocol(('contours', 'centerlines'), 'clDice, clIoU, surface Dice, boundary F1, lengths'),
    'alarms': Protocol(('false_alarms',), 'false alarms on images without a crack'),
    'calibration': Protocol(('calibration',), 'whether probabilities mean what they say'),
    'all': Protocol(MEASURES, 'everything'),
}


def measures_of(names: Iterable[str]) -> list[str]:
    """Measures of some protocols, each once.

    Args:
        names: Keys of :data:`PROTOCOLS`.

    Raises:
        ValueError: A name is unknown.

    Example:
        >>> measures_of(['pooled', 'paper'])
        ['overlap', 'pooled_overlap', 'hausdorff']
    """
    chosen = list(names)
    unknown = [name for name in chosen if name not in PROTOCOLS]
    if unknown or not chosen:
        raise ValueError(f'protocols are {", ".join(PROTOCOLS)}; got {", ".join(unknown) or "none"}')
    wanted = {measure for name in chosen for measure in PROTOCOLS[name].measures}
    return [measure for measure in MEASURES if measure in wanted]
