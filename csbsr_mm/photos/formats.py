"""Which files count as photos, and what to do about those that cannot be read as they are."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

EXTENSIONS = ('.jpg', '.jpeg', '.jpe', '.png', '.tif', '.tiff', '.bmp', '.webp', '.gif', '.jp2', '.avif')
HEIF = ('.heic', '.heif')
RAW = ('.dng', '.cr2', '.cr3', '.nef', '.arw', '.raf', '.orf', '.rw2')
PHOTO_FILES = (*EXTENSIONS, *HEIF, *RAW)
"""What a folder is searched for. Photos that cannot be read are named in the report, not passed over."""


def is_photo_file(path: Path) -> bool:
    """Whether the name is that of a photo."""
    return path.suffix.lower() in PHOTO_FILES


def add_readers() -> None:
    """Let Pillow read what its plug-ins can, where they are installed."""
    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()


def remedy(path: Path) -> str:
    """What helps against a file that Pillow cannot open."""
    suffix = path.suffix.lower()
    if suffix in HEIF:
        return "; install the reader for HEIC files: pip install 'csbsr_mm[heic]'"
    if suffix in RAW:
        return '; it is raw sensor data: export it as TIFF or JPEG'
    if suffix in ('.avif', '.jp2'):
        return '; this Pillow has no decoder for it: convert it to PNG or JPEG'
    return ''
