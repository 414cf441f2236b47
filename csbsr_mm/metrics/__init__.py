"""Metrics of whole test sets without any framework: arrays or tensors in, numbers out.

from csbsr_mm.metrics import CrackMetrics

metrics = CrackMetrics()
for prob, mask in images:
    metrics.update(prob, mask)
print(metrics.compute())
"""

from .accumulator import Accumulator
from .crack_metrics import MEASURES, CrackMetrics
from .curve import ThresholdCurve

__all__ = ['MEASURES', 'Accumulator', 'CrackMetrics', 'ThresholdCurve']
