from .._extras import need

need('csbsr_mm.models', 'mmseg')

from . import backbones, data_preprocessor, decode_heads, losses, necks, segmentors, sr, utils  # noqa: F401
