from .._extras import need

need('csbsr_mm.engine', 'mmseg')

from . import hooks, loops, optim_wrappers  # noqa: F401
