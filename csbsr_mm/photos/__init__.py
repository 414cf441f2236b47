"""Photos of any size on their way in: files, readers and rasters of which a window is read at a time."""

from .._extras import need

need('csbsr_mm.photos', 'cv2', 'PIL', 'tifffile')

from .reader import Photo, PhotoError, read_photo

__all__ = ['Photo', 'PhotoError', 'read_photo']
