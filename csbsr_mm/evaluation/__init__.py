from .._extras import need

need('csbsr_mm.evaluation', 'mmseg')

from .aiu_metric import AIUMetric
from .hd95_metric import HD95Metric
from .pixel_classification_metric import PixelClassificationMetric
from .sr_quality_metric import SRQualityMetric

__all__ = ['AIUMetric', 'HD95Metric', 'PixelClassificationMetric', 'SRQualityMetric']
