from .._extras import need

need('csbsr_mm.evaluation', 'mmseg')

from .aiu_metric import AIUMetric
from .crack_metric import CrackMetric
from .hd95_metric import HD95Metric
from .pixel_classification_metric import PixelClassificationMetric
from .sr_quality_metric import SRQualityMetric

__all__ = ['AIUMetric', 'CrackMetric', 'HD95Metric', 'PixelClassificationMetric', 'SRQualityMetric']
