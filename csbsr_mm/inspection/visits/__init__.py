"""Two visits to the same surface: which photos show the same place, and what its cracks did in between."""

from .comparison import compare_visits

__all__ = ['compare_visits']
