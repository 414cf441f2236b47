"""Rendered crack photographs, for demonstrations and tests where no real data may be shipped."""

from .scene import render_crack_photo, render_varied_photo

__all__ = ['render_crack_photo', 'render_varied_photo']
