"""CSBSR in MMSegmentation: blind super-resolution and crack segmentation, trained jointly.

Importing this package registers every component in MMSegmentation's own registries, so that a config
needs one line: ``custom_imports = dict(imports=['csbsr_mm'])``. Where no MMSegmentation is installed,
only :mod:`csbsr_mm.functional` (the losses' and metrics' mathematics) is there.
"""

from ._stack import prepare_stack
from .version import __version__

__all__ = ['__version__', 'has_mmseg']

has_mmseg = prepare_stack()
if has_mmseg:
    from . import datasets, engine, evaluation, models, visualization  # noqa: F401
