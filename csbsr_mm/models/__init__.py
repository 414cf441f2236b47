from . import backbones, decode_heads, losses, necks, segmentors, sr  # noqa: F401
