"""What the segmentors share, and ImageNet weights by name."""

from . import pretrained  # noqa: F401
