from . import backbones, data_preprocessor, decode_heads, losses, necks, pretrained, segmentors, sr  # noqa: F401
