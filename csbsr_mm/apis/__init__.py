from .inferencer import CrackInferencer, CrackResult
from .model_loading import load_checkpoint, load_model
from .photo_reader import Photo, PhotoError, read_photo

__all__ = [
    'CrackInferencer',
    'CrackResult',
    'Photo',
    'PhotoError',
    'load_checkpoint',
    'load_model',
    'read_photo',
]
