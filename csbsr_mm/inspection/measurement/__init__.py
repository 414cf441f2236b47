"""From a mask to cracks: centre lines, lengths, widths and directions."""

from .cracks import MIN_AREA, CrackMeasures, PhotoMeasures, measure_cracks

__all__ = ['MIN_AREA', 'CrackMeasures', 'PhotoMeasures', 'measure_cracks']
