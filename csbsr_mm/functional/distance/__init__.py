"""Exact Euclidean distance maps of masks: :mod:`.maps` has the definitions, the rest their kernels."""

from .maps import distance_to, signed_distance

__all__ = ['distance_to', 'signed_distance']
