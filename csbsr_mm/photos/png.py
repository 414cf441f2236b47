"""Read PNG files with nothing but NumPy and the standard library: masks where no Pillow is installed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b'\x89PNG\r\n\x1a\n'
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
MAX_BYTES = 4_000_000_000


def read_png(path: str | Path) -> NDArray:
    """The values of a PNG file.

    Args:
        path: File without interlacing, of any colour type and bit depth.

    Returns:
        (H, W) or (H, W, C) uint8, or uint16 from files of 16 bits. Fewer than 8 bits of grey are stretched to
        8; palettes are replaced by their colours.

    Raises:
        ValueError: The file is damaged, interlaced or no PNG.

    Reference:
        W3C, Portable Network Graphics (PNG) Specification.
    """
    content = Path(path).read_bytes()
    if not content.startswith(SIGNATURE):
        raise ValueError(f'{path} is no PNG file')
    try:
        chunks = list(_chunks(content))
        width, height, depth, colour, _, _, interlaced = struct.unpack('>IIBBBBB', chunks[0][1])
        if interlaced:
            raise ValueError(f"{path} is interlaced: save it without, or pip install 'csbsr_mm[inspection]'")
        bits = depth * CHANNELS[colour]
        row = -(-width * bits // 8)
        if height * (row + 1) > MAX_BYTES:
            raise ValueError(f'{path} has {width}x{height} pixels, more than can be read at once')
        packed = b''.join(data for name, data in chunks if name == b'IDAT')
        raw = np.frombuffer(zlib.decompressobj().decompress(packed, height * (row + 1)), np.uint8)
        rows = _unfilter(raw.reshape(height, row + 1), max(bits // 8, 1))
    except (struct.error, zlib.error, KeyError, IndexError) as error:
        raise ValueError(f'{path} is damaged ({error})') from error
    values = _values(rows, width, depth, CHANNELS[colour])
    if colour == PALETTE:
        palette = np.frombuffer(next(data for name, data in chunks if name == b'PLTE'), np.uint8)
        return palette.reshape(-1, 3)[values[..., 0]]
    if depth < 8:
        values = values * np.uint8(255 // (2**depth - 1))
    return values[..., 0] if values.shape[2] == 1 else values


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and data of all chunks, whose checksums are right."""
    place = len(SIGNATURE)
    while place < len(content):
        length, name = struct.unpack_from('>I4s', content, place)
        data = content[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack_from('>I', content, place + 8 + length)
        if zlib.crc32(name + data) != checksum:
            raise zlib.error(f'checksum of {name.decode("latin-1")}')
        yield name, data
        place += 12 + length


def _unfilter(raw: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Undo the prediction of each row; ``step`` is how many bytes lie between neighbours."""
    rows = raw[:, 1:].copy()
    above = np.zeros(rows.shape[1], np.uint8)
    for kind, row in zip(raw[:, 0].tolist(), rows, strict=True):
        if kind == 1:
            _undo_left(row, step)
        elif kind == 2:
            row += above
        elif kind in (3, 4):
            (_undo_average if kind == 3 else _undo_paeth)(row, above, step)
        elif kind:
            raise zlib.error(f'filter {kind}')
        above = row
    return rows


def _undo_left(row: NDArray[np.uint8], step: int) -> None:
    for channel in range(step):
        row[channel::step] = np.cumsum(row[channel::step], dtype=np.uint8)


def _undo_average(row: NDArray[np.uint8], above: NDArray[np.uint8], step: int) -> None:
    values, before = row.tolist(), above.tolist()
    for place, top in enumerate(before):
        left = values[place - step] if place >= step else 0
        values[place] = (values[place] + (left + top) // 2) & 255
    row[:] = values


def _undo_paeth(row: NDArray[np.uint8], above: NDArray[np.uint8], step: int) -> None:
    values, before = row.tolist(), above.tolist()
    for place, top in enumerate(before):
        left, corner = (values[place - step], before[place - step]) if place >= step else (0, 0)
        to_left, to_top, to_corner = abs(top - corner), abs(left - corner), abs(left + top - 2 * corner)
        if to_left <= to_top and to_left <= to_corner:
            guess = left
        else:
            guess = top if to_top <= to_corner else corner
        values[place] = (values[place] + guess) & 255
    row[:] = values


def _values(rows: NDArray[np.uint8], width: int, depth: int, channels: int) -> NDArray:
    """(H, W, C) values of unpacked rows."""
    height = len(rows)
    if depth < 8:
        bits = np.unpackbits(rows, axis=1).reshape(height, -1, depth)
        weights = 2 ** np.arange(depth - 1, -1, -1)
        return (bits @ weights).astype(np.uint8)[:, :width, None]
    if depth == 16:
        rows = rows.reshape(height, -1, 2).view('>u2')[..., 0].astype(np.uint16)
    return rows.reshape(height, width, channels)
