from .blind_sr_local_visualizer import BlindSRLocalVisualizer  # noqa: F401
