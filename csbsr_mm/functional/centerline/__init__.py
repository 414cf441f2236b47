"""Centre lines of masks, and how well those of a probability map agree with a true mask at all thresholds."""

from .skeleton import skeletonize
from .sweep import CenterlineCounts, centerline_sweep, cl_dice, cl_iou

__all__ = ['CenterlineCounts', 'centerline_sweep', 'cl_dice', 'cl_iou', 'skeletonize']
