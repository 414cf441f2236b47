"""Metrics of whole test sets without any framework: arrays or tensors in, numbers out.

from csbsr_mm.metrics import CrackMetrics

metrics = CrackMetrics()
for prob, mask in images:
    metrics.update(prob, mask)
print(metrics.compute())

:class:`CrackTorchMetric` is the same for torchmetrics; it is imported when it is first asked for, and
needs the extra ``[torchmetrics]``.
"""

from typing import TYPE_CHECKING, Any

from .accumulator import Accumulator
from .crack_metrics import MEASURES, CrackMetrics
from .curve import ThresholdCurve

if TYPE_CHECKING:
    from .crack_torch_metric import CrackTorchMetric as CrackTorchMetric

__all__ = ['MEASURES', 'Accumulator', 'CrackMetrics', 'ThresholdCurve']


def __getattr__(name: str) -> Any:
    """Import what needs an extra when it is first asked for."""
    if name != 'CrackTorchMetric':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from .crack_torch_metric import CrackTorchMetric

    return CrackTorchMetric
