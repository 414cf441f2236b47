"""CSBSR in MMSegmentation: blind super-resolution and crack segmentation, trained jointly.

Importing this package registers every component in MMSegmentation's own registries, so that a config
needs one line: ``custom_imports = dict(imports=['csbsr_mm'])``. Where no MMSegmentation is installed,
only :mod:`csbsr_mm.functional` (the losses' and metrics' mathematics) is there. The command ``csbsr``
registers when a sub-command asks for it.
"""

import sys
from itertools import pairwise

from ._stack import prepare_stack
from .version import __version__

__all__ = ['__version__', 'has_mmseg', 'register']

has_mmseg = False


def register() -> bool:
    """Register every component in MMSegmentation's registries; calling it again changes nothing.

    Returns:
        True if MMSegmentation is installed, False if nothing of it is.

    Raises:
        ImportError: The installed MMSegmentation is incomplete, mixed or broken.
    """
    global has_mmseg
    if not has_mmseg:
        has_mmseg = prepare_stack()
        if has_mmseg:
            from . import datasets, engine, evaluation, models, visualization  # noqa: F401
    return has_mmseg


def _is_command() -> bool:
    """Whether this process is the command ``csbsr``, or ``python -m csbsr_mm`` on its way to it."""
    script = getattr(sys.modules.get('csbsr_mm_command'), 'running', False)
    return script or (sys.argv[:1] == ['-m'] and ('-m', 'csbsr_mm') in pairwise(sys.orig_argv))


if not _is_command():
    register()
