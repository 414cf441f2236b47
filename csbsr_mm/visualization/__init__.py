from .._extras import need

need('csbsr_mm.visualization', 'mmseg')

from .blind_sr_local_visualizer import BlindSRLocalVisualizer  # noqa: F401
