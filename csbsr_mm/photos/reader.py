"""Read inspection photos as they come: 8 or 16 bit, grey, colour, rotated, CMYK, with time and place."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .camera import CameraFacts, camera_facts
from .depth import read_measured_tiff, stretch_bits
from .formats import add_readers, remedy
from .jpeg_check import jpeg_damage
from .raster import Raster

MAX_PIXELS = 1_000_000_000
IN_MEMORY_PIXELS = 20_000_000

# TIFF and EXIF tags by number, as in the standard.
BITS_PER_SAMPLE, ORIENTATION, DATE_TIME, EXIF_IFD, GPS_IFD = 0x0102, 0x0112, 0x0132, 0x8769, 0x8825
SUBFILE_TYPE, REDUCED, MASK = 0x00FE, 1, 4
DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL = 0x9003, 0x9011


class PhotoError(Exception):
    """A photo that cannot be read; the message says why."""


@dataclass
class Photo:
    """A photo, upright, and what its EXIF data say.

    Attributes:
        path: Where it was read from, or a name for an image that was given as an array.
        pixels: (H, W, 3) RGB, uint8 or uint16.
        taken: Time of exposure in ISO 8601, or None.
        latitude: Degrees, north positive, or None.
        longitude: Degrees, east positive, or None.
        altitude: Metres above sea level, or None.
        exif: Time and place as an EXIF block for pictures made from this photo.
        note: What was done to its values on reading, and what was left out.
        camera: Focal length, distance and direction.
        skipped: What else the file holds, which was not read.
    """

    path: Path
    pixels: Raster
    taken: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    exif: bytes = b''
    note: str = ''
    camera: CameraFacts = field(default_factory=CameraFacts)
    skipped: str = ''

    @property
    def height(self) -> int:
        """Rows."""
        return self.pixels.height

    @property
    def width(self) -> int:
        """Columns."""
        return self.pixels.width

    def close(self) -> None:
        """Free the pixels."""
        self.pixels.close()


def read_photo(path: str | Path, folder: str | Path | None = None) -> Photo:
    """Read one photo, turned upright.

    The alpha channel is ignored, as MMSegmentation does; of a file with several pages the first is read. A
    JPEG whose compressed data are not whole is refused.
    Values of 10, 12 or 14 bits in 16, floats and the first three of many bands are scaled to 16 bits.
    What was done is in the photo's ``note``.
    While it is decoded a photo takes four bytes per pixel (eight if EXIF says it is rotated); afterwards
    one above 20 megapixels lives in ``folder``.

    Args:
        path: Image file.
        folder: For the pixels of large photos; None keeps them in memory.

    Returns:
        The photo; close it when done.

    Raises:
        PhotoError: The file is no image, or damaged; the message says what to do where that is known.
    """
    path = Path(path)
    add_readers()
    try:
        with warnings.catch_warnings():
            # The limit on pixels is ours, below.
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _read(path, image, folder)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        measured = read_measured_tiff(path) if path.suffix.lower() in ('.tif', '.tiff') else None
        if measured is not None:
            return Photo(path, _store(measured[0], folder), note=measured[1])
        raise PhotoError(f'{path} is no image that can be read: {error}{remedy(path)}') from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PhotoError(f'{path} cannot be read: {error}') from error


def photo_size(path: str | Path) -> tuple[int, int] | None:
    """Height and width from a file's header, or None where it has none that can be read."""
    add_readers()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return image.height, image.width
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return None


def read_camera(path: str | Path) -> CameraFacts:
    """What a photo's header says about its camera; nothing where it cannot be read."""
    add_readers()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(path) as image:
                exif = image.getexif()
                return camera_facts(image, _ifd(exif, EXIF_IFD), _ifd(exif, GPS_IFD))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        return CameraFacts()


def photo_from_array(image: NDArray, name: str = 'image') -> Photo:
    """Wrap an image in memory.

    Args:
        image: (H, W) grey or (H, W, 3) RGB, uint8 or uint16.
        name: What to call it.

    Raises:
        PhotoError: Another shape or type.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, 2)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype not in (np.uint8, np.uint16) or not image.size:
        raise PhotoError(
            f'{name} must be (H, W) grey or (H, W, 3) RGB of uint8 or uint16, got {image.dtype} '
            f'{image.shape}; a float image in [0, 1] becomes (65535 * image).round().astype(np.uint16)'
        )
    return Photo(Path(name), _store(image, None))


def _read(path: Path, image: Image.Image, folder: str | Path | None) -> Photo:
    count = image.width * image.height
    if count > MAX_PIXELS:
        raise PhotoError(f'{path} has {count:,} pixels, more than {MAX_PIXELS:,}; cut it into parts')
    folder = folder if count > IN_MEMORY_PIXELS else None
    if image.format in ('JPEG', 'MPO'):
        _refuse_damage(path)
    # Before anything else: reading EXIF data of a PNG also decodes it.
    is_16_bit_colour = _is_16_bit_colour(image)
    exif = image.getexif()
    if is_16_bit_colour:
        pixels = _store(_read_16_bit_colour(path, image.format, exif.get(ORIENTATION, 1)), folder)
    elif image.mode in ('F', 'I') and not _fits_16_bit(image) and (measured := read_measured_tiff(path)):
        return Photo(path, _store(measured[0], folder), **_metadata(exif, image), note=measured[1])
    else:
        pixels = _read_by_pillow(path, image, folder)
    metadata, skipped = _metadata(exif, image), _skipped_pages(image)
    note = '; '.join(filter(None, [stretch_bits(pixels), skipped]))
    return Photo(path, pixels, **metadata, note=note, skipped=skipped)


def _refuse_damage(path: Path) -> None:
    """Refuse a JPEG of which Pillow would show something, but not what was taken."""
    damage = jpeg_damage(path.read_bytes())
    if damage:
        raise PhotoError(
            f'{path} is damaged ({damage}); copy it anew from the camera, or, if the picture looks right, '
            f'save it again with an image editor'
        )


def _skipped_pages(image: Image.Image) -> str:
    """What a file holds beside the picture that is read, except smaller copies and masks of a TIFF."""
    pages = getattr(image, 'n_frames', 1)
    if pages == 1:
        return ''
    if image.format != 'TIFF':
        return f'the first of {pages} pictures in the file'
    skipped = []
    for page in range(1, pages):
        image.seek(page)
        if not image.tag_v2.get(SUBFILE_TYPE, 0) & (REDUCED | MASK):
            skipped.append(str(page + 1))
    image.seek(0)
    if not skipped:
        return ''
    names = f'page {skipped[0]}' if len(skipped) == 1 else f'pages {", ".join(skipped[:9])}'
    more = f' and {len(skipped) - 9} more' if len(skipped) > 9 else ''
    return f'{names}{more} of {pages} skipped: save them as files of their own'


def _read_by_pillow(path: Path, image: Image.Image, folder: str | Path | None) -> Raster:
    """8-bit images of any kind, and grey ones of 16 bits."""
    if image.mode in ('F', 'I') and not _fits_16_bit(image):
        raise PhotoError(
            f'{path} has pixels of mode {image.mode!r} (32 bit); save it as 8-bit or 16-bit integers'
        )
    image = ImageOps.exif_transpose(image)
    convert, dtype = (_to_grey16, np.uint16) if image.mode.startswith('I') else (_to_rgb8, np.uint8)
    pixels = Raster(image.height, image.width, 3, dtype, folder)
    for box in pixels.blocks():
        pixels.write(box, convert(image.crop((box.left, box.top, box.right, box.bottom))))
    return pixels


def _is_16_bit_colour(image: Image.Image) -> bool:
    """Pillow would reduce such an image to 8 bits."""
    if image.format == 'TIFF':
        bits = image.tag_v2.get(BITS_PER_SAMPLE, (8,))
        return len(bits) > 1 and max(bits) > 8
    return image.mode not in ('I', 'I;16') and any(';16' in str(tile[3]) for tile in image.tile)


def _fits_16_bit(image: Image.Image) -> bool:
    """Older versions of Pillow open 16-bit grey as 32-bit integers."""
    low, high = image.getextrema()
    return image.mode == 'I' and low >= 0 and 255 < high <= 65535


def _to_rgb8(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert('RGB'))


def _to_grey16(image: Image.Image) -> NDArray[np.uint16]:
    return np.repeat(np.asarray(image).astype(np.uint16)[..., None], 3, 2)


def _read_16_bit_colour(path: Path, kind: str | None, orientation: int) -> NDArray[np.uint16]:
    """Upright RGB values, which Pillow would cut to 8 bits."""
    array = _decode_tiff(path) if kind == 'TIFF' else None
    # OpenCV turns some TIFF files upright by itself and fails on others.
    if array is None and (kind != 'TIFF' or orientation == 1):
        array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if array is not None and array.ndim == 3 and array.shape[2] >= 3:
            array = array[..., [2, 1, 0]]
    if array is None or array.dtype != np.uint16:
        raise PhotoError(
            f'{path} has 16 bits per channel in a form that cannot be decoded; save it without compression'
        )
    array = _upright(array.reshape(*array.shape[:2], -1), orientation)
    return array[..., :3] if array.shape[2] >= 3 else array[..., [0, 0, 0]]


def _decode_tiff(path: Path) -> NDArray | None:
    """The first page (H, W, C), or None where its compression is unknown."""
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            array = page.asarray()
            return np.moveaxis(array, 0, -1) if page.axes == 'SYX' else array
    except ValueError:
        return None


def _store(array: NDArray, folder: str | Path | None) -> Raster:
    large = array.shape[0] * array.shape[1] > IN_MEMORY_PIXELS
    pixels = Raster(*array.shape, array.dtype, folder if large else None)
    pixels.write(pixels.box, array)
    return pixels


def _upright(array: NDArray, orientation: int) -> NDArray:
    """Undo the EXIF orientation, 1 to 8."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def _metadata(exif: Image.Exif, image: Image.Image) -> dict:
    """Time, place and camera; whatever is malformed counts as absent."""
    details, gps = _ifd(exif, EXIF_IFD), _ifd(exif, GPS_IFD)
    latitude = _degrees(gps.get(2), gps.get(1), ('N', 'S'), 90)
    longitude = _degrees(gps.get(4), gps.get(3), ('E', 'W'), 180)
    if latitude is None or longitude is None:
        latitude = longitude = None
    altitude = _number(gps.get(6))
    if altitude is not None and gps.get(5) in (1, b'\x01'):
        altitude = -altitude
    taken = details.get(DATE_TIME_ORIGINAL) or exif.get(DATE_TIME)
    return dict(
        taken=_time(taken, details.get(OFFSET_TIME_ORIGINAL)),
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        exif=_carry_over(exif, details, gps),
        camera=camera_facts(image, details, gps),
    )


def _ifd(exif: Image.Exif, tag: int) -> dict:
    with suppress(Exception):
        return dict(exif.get_ifd(tag))
    return {}


def _carry_over(exif: Image.Exif, details: dict, gps: dict) -> bytes:
    """An EXIF block of time and place only: neither a thumbnail nor the orientation, which is undone."""
    kept = Image.Exif()
    times = {tag: details[tag] for tag in (DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL) if tag in details}
    if DATE_TIME in exif:
        kept[DATE_TIME] = exif[DATE_TIME]
    if times:
        kept[EXIF_IFD] = times
    if gps:
        kept[GPS_IFD] = gps
    return _first(kept.tobytes, b'') if len(kept) else b''


def _first(function: Callable[[], bytes], otherwise: bytes) -> bytes:
    """The function's value, or ``otherwise`` where malformed tags cannot be written back."""
    with suppress(Exception):
        return function()
    return otherwise


def _time(taken: object, offset: object) -> str | None:
    with suppress(ValueError, TypeError):
        time = datetime.strptime(str(taken).strip('\x00 '), '%Y:%m:%d %H:%M:%S')
        with suppress(ValueError):
            return datetime.fromisoformat(f'{time.isoformat()}{str(offset or "").strip()}').isoformat()
        return time.isoformat()
    return None


def _number(value: object) -> float | None:
    with suppress(TypeError, ValueError, ZeroDivisionError):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def _degrees(value: object, reference: object, signs: tuple[str, str], limit: float) -> float | None:
    """Degrees, minutes and seconds with their hemisphere to signed degrees."""
    if not isinstance(value, tuple) or len(value) != 3:
        return None
    parts = [_number(part) for part in value]
    hemisphere = reference.decode('ascii', 'ignore') if isinstance(reference, bytes) else str(reference)
    hemisphere = hemisphere.strip('\x00 ').upper()
    if None in parts or hemisphere not in signs:
        return None
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    if degrees > limit:
        return None
    return round(degrees if hemisphere == signs[0] else -degrees, 8)
