"""Photos of any size on their way in: files, readers and rasters of which a window is read at a time.

Rasters and masks need the base installation alone; what reads photos is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

from .._extras import need

if TYPE_CHECKING:
    from .reader import Photo, PhotoError, read_photo

__all__ = ['Photo', 'PhotoError', 'read_photo']


def __getattr__(name: str) -> Any:
    """Import the reader when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    need('Reading photos', 'cv2', 'PIL', 'tifffile')
    from . import reader

    return getattr(reader, name)
