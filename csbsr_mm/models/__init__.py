from . import backbones, data_preprocessor, decode_heads, losses, necks, segmentors, sr  # noqa: F401
