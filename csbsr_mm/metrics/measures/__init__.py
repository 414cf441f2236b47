"""Measures: what to count of an image, and what to report of many. Arrays and tensors, no framework."""

from .base import Measure, Record
from .calibration import CalibrationMeasure
from .centerlines import CenterlineMeasure
from .contours import ContourMeasure
from .false_alarms import FalseAlarmMeasure
from .hausdorff import HausdorffMeasure
from .overlap import OverlapMeasure
from .tolerant_f1 import TolerantF1Measure

__all__ = [
    'CalibrationMeasure',
    'CenterlineMeasure',
    'ContourMeasure',
    'FalseAlarmMeasure',
    'HausdorffMeasure',
    'Measure',
    'OverlapMeasure',
    'Record',
    'TolerantF1Measure',
]
