from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._extras import need

if TYPE_CHECKING:
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

_HOMES = {
    'CrackInferencer': '.inferencer',
    'CrackResult': '.result',
    'Photo': 'csbsr_mm.photos.reader',
    'PhotoError': 'csbsr_mm.photos.reader',
    'load_checkpoint': '.model_loading',
    'load_model': '.model_loading',
    'load_weights': '.model_loading',
    'read_photo': 'csbsr_mm.photos.reader',
}


def __getattr__(name: str) -> Any:
    """Import a name when it is asked for: an exported model runs without torch and MMSegmentation."""
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    if _HOMES[name] == '.model_loading':
        need('csbsr_mm.apis', 'mmseg')
    return getattr(import_module(_HOMES[name], __name__), name)
