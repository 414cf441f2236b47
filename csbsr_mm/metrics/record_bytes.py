"""Records of an image as bytes of one length, for frameworks that send tensors between processes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .accumulator import Accumulator
from .measures.base import Record, compact


class RecordBytes:
    """Turns the records of an accumulator's images into bytes, and back without loss.

    Every number is stored as a float64, in which all counts and distances are exact. Bytes stay what they are
    where a framework casts its states to another type.

    Args:
        accumulator: Its measures and thresholds decide what a record holds.

    Example:
        >>> from csbsr_mm.metrics import CrackMetrics
        >>> metrics = CrackMetrics(measures=['overlap'], thresholds=[0.5], at=[])
        >>> codec = RecordBytes(metrics)
        >>> codec.size
        16
        >>> records = metrics.measure(np.array([[0.9, 0.8]]), np.array([[1, 0]]))
        >>> codec.unpack(codec.pack(records))['overlap']
        {'intersection': array([1], dtype=int32), 'union': array([2], dtype=int32)}
    """

    def __init__(self, accumulator: Accumulator) -> None:
        self._accumulator = accumulator

    @cached_property
    def _shapes(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Shape of each array of a record, which no image changes."""
        records = self._accumulator.measure(np.zeros((1, 1)), np.zeros((1, 1), bool))
        return {
            (label, key): values.shape for label, record in records.items() for key, values in record.items()
        }

    @cached_property
    def size(self) -> int:
        """Bytes of an image."""
        return 8 * sum(int(np.prod(shape)) for shape in self._shapes.values())

    def pack(self, records: Mapping[str, Record]) -> NDArray[np.uint8]:
        """(size,) bytes of one image's records."""
        values = [np.ravel(records[label][key]).astype(np.float64) for label, key in self._shapes]
        return np.concatenate(values).view(np.uint8)

    def unpack(self, content: NDArray[np.uint8]) -> dict[str, Record]:
        """The records of one image.

        Args:
            content: (size,) bytes that :meth:`pack` gave.
        """
        values, begin = np.ascontiguousarray(content).view(np.float64), 0
        records: dict[str, Record] = {label: {} for label in self._accumulator.measures}
        for (label, key), shape in self._shapes.items():
            end = begin + int(np.prod(shape))
            records[label][key] = values[begin:end].reshape(shape)
            begin = end
        return {label: compact(record) for label, record in records.items()}
