"""What the page accepts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from csbsr_mm.photos.formats import add_readers

FORMATS = ('JPEG', 'PNG', 'TIFF', 'BMP', 'WEBP', 'GIF', 'JPEG2000', 'AVIF', 'HEIF')
"""Formats by Pillow's names; others that Pillow knows run programs (EPS) or are no photos."""


class Refused(Exception):
    """A request that is not granted.

    Args:
        status: HTTP status.
        reason: What to tell the user.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Limits:
    """Limits of the page.

    Attributes:
        upload_bytes: Largest file.
        pixels: Most pixels of a photo, by its header, before it is decoded.
        photos: Most photos that are kept, waiting and done.

    Raises:
        ValueError: A limit is not positive.
    """

    upload_bytes: int = 64_000_000
    pixels: int = 25_000_000
    photos: int = 100

    def __post_init__(self) -> None:
        for name in ('upload_bytes', 'pixels', 'photos'):
            if getattr(self, name) < 1:
                raise ValueError(f'the limit on {name} must be positive, got {getattr(self, name)}')

    def check_length(self, length: str | None) -> int:
        """Bytes that a request announces.

        Raises:
            Refused: It announces none (411), no number (400) or too many (413).
        """
        if not length:
            raise Refused(411, 'the length of the upload is missing')
        if not (length.isascii() and length.isdigit()):
            raise Refused(400, 'the length of the upload is no number')
        # Before it becomes a number: a long one takes time.
        if len(length) > 15 or int(length) > self.upload_bytes:
            raise Refused(413, f'the file is larger than {self.upload_bytes / 1e6:g} MB')
        if int(length) == 0:
            raise Refused(400, 'the file is empty')
        return int(length)

    def check_photo(self, path: Path) -> None:
        """Look at an uploaded file's header.

        Raises:
            Refused: It is no photo (415), or has too many pixels (413).
        """
        add_readers()
        Image.init()
        known = [name for name in FORMATS if name in Image.OPEN]
        try:
            with warnings.catch_warnings():
                # The limit is ours.
                warnings.simplefilter('ignore', Image.DecompressionBombWarning)
                with Image.open(path, formats=known) as image:
                    width, height = image.size
        except Image.DecompressionBombError as error:
            raise Refused(413, self._too_large('far more')) from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
            raise Refused(415, f'this is no photo that can be read ({", ".join(known)})') from error
        if width * height > self.pixels:
            raise Refused(413, self._too_large(f'{width * height / 1e6:.1f} megapixels'))

    def _too_large(self, size: str) -> str:
        return f'the photo has {size}, more than {self.pixels / 1e6:g} megapixels; cut it or make it smaller'
