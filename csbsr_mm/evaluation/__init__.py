from .sr_quality_metric import SRQualityMetric

__all__ = ['SRQualityMetric']
