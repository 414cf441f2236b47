from .._extras import need

need('csbsr_mm.apis', 'mmseg')

from csbsr_mm.photos.reader import Photo, PhotoError, read_photo

from .inferencer import CrackInferencer
from .model_loading import load_checkpoint, load_model, load_weights
from .result import CrackResult

__all__ = [
    'CrackInferencer',
    'CrackResult',
    'Photo',
    'PhotoError',
    'load_checkpoint',
    'load_model',
    'load_weights',
    'read_photo',
]
