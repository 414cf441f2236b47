from .binary_cascade_encoder_decoder import BinaryCascadeEncoderDecoder  # noqa: F401
from .blind_sr_pretrainer import BlindSRPretrainer  # noqa: F401
from .blind_sr_segmentor import BlindSROutputs, BlindSRSegmentor  # noqa: F401
from .blind_sr_tta import BlindSRTTAModel  # noqa: F401
from .dsrl import DSRL  # noqa: F401
