from .blind_sr_segmentor import BlindSROutputs, BlindSRSegmentor  # noqa: F401
