"""Metrics of whole test sets without any framework: NumPy arrays or tensors in, numbers out."""

from .crack_metrics import CrackMetrics

__all__ = ['CrackMetrics']
