"""Whether the compressed data of a JPEG are whole.

Decoders show a picture for damaged data, too: libjpeg fills in what is missing and only warns, and Pillow
drops the warnings. Here the entropy-coded segments are decoded, as far as it takes to know where each code
ends (ITU-T T.81, annexes B, C, F and G). A flipped bit mostly shifts what follows: there is no such code, a
block has more than 64 coefficients, the mean of a block leaves its range, or data are left over or missing at
the end. What changes the size of one coefficient and nothing else goes unseen: it does not show much either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.utils.kernels import compiled

SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE = 0xC0, 0xC1, 0xC2
DHT, RST0, RST7, SOI, EOI, SOS, DQT, DRI = 0xC4, 0xD0, 0xD7, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD
STANDALONE = (0x01, SOI, *range(RST0, RST7 + 1))
OTHER_FRAMES = (0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
"""Lossless, hierarchical and arithmetically coded pictures, which no camera writes."""

REASONS = (
    '',
    'a code that does not exist',
    'a block with more than 64 coefficients',
    'a block brighter than white or darker than black',
    'data that end too early',
    'data that do not end with a code',
)
"""By the numbers of the compiled kernels."""


@dataclass
class _Component:
    across: int
    down: int
    quantization: int
    columns: int = 0
    rows: int = 0
    stride: int = 0
    nonzero: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 64), np.bool_))


@dataclass
class _Picture:
    """What the headers have said so far."""

    data: bytes
    decode: Callable[..., tuple[int, int, int]]
    height: int = 0
    width: int = 0
    is_progressive: bool = False
    interval: int = 0
    components: dict[int, _Component] = field(default_factory=dict)
    tables: dict[int, NDArray[np.uint16]] = field(default_factory=dict)
    quantization: dict[int, int] = field(default_factory=dict)


class _Damage(Exception):
    """The data are not whole; the message says where."""


def jpeg_damage(data: bytes) -> str:
    """What is wrong with the compressed data of a JPEG; nothing if they are whole.

    Kinds of JPEG that cameras do not write (arithmetic coding, lossless, 12 bits) are not looked into, nor is
    what follows the first picture of a file; nor anything where Numba is not installed.

    Args:
        data: The file.

    Example:
        >>> jpeg_damage(b'no JPEG')
        ''
    """
    kernels = compiled(f'{__package__}._jpeg_numba')
    if kernels is None:
        return ''
    picture = _Picture(data, kernels.decode_segment)
    try:
        for marker, start, end in _segments(data):
            if marker in OTHER_FRAMES or (marker == SOF_EXTENDED and data[start] != 8):
                return ''
            if marker == SOS and not picture.tables:
                # Frames of motion JPEG leave out the usual codes.
                return ''
            if marker == SOS:
                _check_scan(picture, start, end)
            else:
                _take(picture, marker, data[start:end])
    except _Damage as damage:
        return str(damage)
    except (IndexError, KeyError, ValueError, ZeroDivisionError):
        return 'headers that contradict each other'
    return ''


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, and where its content starts and ends; after a scan's header its data are passed over."""
    place = 0
    while 0 <= place < len(data) - 3:
        if data[place] != 0xFF:
            return
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        place += 2
        if marker == EOI:
            return
        if marker in STANDALONE:
            continue
        length = int.from_bytes(data[place : place + 2], 'big')
        yield marker, place + 2, place + length
        place += length
        if marker == SOS:
            place = _end_of_scan(data, place)


def _end_of_scan(data: bytes, place: int) -> int:
    """The next marker that is no restart."""
    while True:
        place = data.find(b'\xff', place)
        if place < 0 or place + 1 >= len(data):
            return len(data)
        if data[place + 1] != 0 and not RST0 <= data[place + 1] <= RST7 and data[place + 1] != 0xFF:
            return place
        place += 1 if data[place + 1] == 0xFF else 2


def _take(picture: _Picture, marker: int, content: bytes) -> None:
    if marker == DHT:
        _take_codes(picture, content)
    elif marker == DQT:
        while content:
            size = 2 if content[0] >> 4 else 1
            picture.quantization[content[0] & 15] = int.from_bytes(content[1 : 1 + size], 'big')
            content = content[1 + 64 * size :]
    elif marker == DRI:
        picture.interval = int.from_bytes(content[:2], 'big')
    elif marker in (SOF_BASELINE, SOF_EXTENDED, SOF_PROGRESSIVE):
        picture.is_progressive = marker == SOF_PROGRESSIVE
        picture.height, picture.width = (int.from_bytes(content[at : at + 2], 'big') for at in (1, 3))
        for at in range(6, 6 + 3 * content[5], 3):
            sampling = content[at + 1]
            picture.components[content[at]] = _Component(sampling >> 4, sampling & 15, content[at + 2])
        _lay_out(picture)


def _lay_out(picture: _Picture) -> None:
    """Blocks of each component: those of its picture, and those that whole units have."""
    most_across = max(one.across for one in picture.components.values())
    most_down = max(one.down for one in picture.components.values())
    for one in picture.components.values():
        one.columns = math.ceil(math.ceil(picture.width * one.across / most_across) / 8)
        one.rows = math.ceil(math.ceil(picture.height * one.down / most_down) / 8)
        one.stride = math.ceil(picture.width / (8 * most_across)) * one.across
        if picture.is_progressive:
            rows = math.ceil(picture.height / (8 * most_down)) * one.down
            one.nonzero = np.zeros((one.stride * rows, 64), np.bool_)


def _take_codes(picture: _Picture, content: bytes) -> None:
    """For each of all 16-bit words the length and the value of the code that it starts with (annex C)."""
    while content:
        counts = content[1:17]
        table, code, at = np.zeros(65536, np.uint16), 0, 17
        for length, count in enumerate(counts, 1):
            for value in content[at : at + count]:
                start = code << (16 - length)
                table[start : start + (1 << (16 - length))] = length << 8 | value
                code += 1
            at += count
            code <<= 1
        picture.tables[content[0]] = table
        content = content[at:]


def _check_scan(picture: _Picture, start: int, end: int) -> None:
    header = picture.data[start:end]
    parts = [(picture.components[header[1 + 2 * k]], header[2 + 2 * k]) for k in range(header[0])]
    spectrum, successive = (header[-3], header[-2]) if picture.is_progressive else (0, 63), header[-1]
    # The compiled kernel trusts these numbers.
    if not 0 <= spectrum[0] <= spectrum[1] <= 63 or (
        picture.is_progressive and spectrum[1] and len(parts) > 1
    ):
        raise _Damage('a scan that cannot be')
    columns, rows, steps, layout = _units([one for one, _ in parts])
    blank = np.zeros(65536, np.uint16)
    limits = [_highest_mean(picture.quantization[one.quantization], successive & 15) for one, _ in parts]
    constant = (
        columns,
        layout,
        steps,
        np.stack([picture.tables.get(tables >> 4, blank) for _, tables in parts]),
        np.stack([picture.tables.get(16 | tables & 15, blank) for _, tables in parts]),
        np.array(limits),
        # Only scans of a single component look into it.
        parts[0][0].nonzero if picture.is_progressive else np.zeros((1, 64), np.bool_),
        picture.is_progressive,
        bool(successive >> 4),
        spectrum[0] == 0,
        *spectrum,
    )
    done = 0
    for piece in _pieces(picture.data, end):
        count = min(picture.interval or columns * rows, columns * rows - done)
        status, decoded, left = picture.decode(piece, count, done, *constant)
        if status or left:
            raise _Damage(
                _at(picture, (done + decoded) // columns / rows, REASONS[status] or 'too many data')
            )
        done += count
    if done < columns * rows:
        raise _Damage(_at(picture, done // columns / rows, 'data that end too early'))


def _at(picture: _Picture, part: float, what: str) -> str:
    return f'{what}, at about row {int(part * picture.height):,} of {picture.height:,}'


def _units(parts: list[_Component]) -> tuple[int, int, NDArray[np.int64], NDArray[np.int64]]:
    """How a scan of some components is laid out.

    Returns:
        Columns and rows of units; (components, 3): blocks in a row of the picture, and across and down a
        unit; (blocks of a unit, 3): component, row and column in the unit.
    """
    if len(parts) == 1:
        one = parts[0]
        return one.columns, one.rows, np.array([[one.stride, 1, 1]]), np.array([[0, 0, 0]])
    steps = [(one.stride, one.across, one.down) for one in parts]
    layout = [
        (index, row, column)
        for index, one in enumerate(parts)
        for row in range(one.down)
        for column in range(one.across)
    ]
    first = parts[0]
    return first.stride // first.across, math.ceil(first.rows / first.down), np.array(steps), np.array(layout)


def _highest_mean(quantization: int, low: int) -> int:
    """Largest magnitude of the first coefficient: eight times 128, in quantized steps, and rounding."""
    return (1024 // max(quantization, 1) + 1 >> low) + 1


def _pieces(data: bytes, start: int) -> Iterator[NDArray[np.uint8]]:
    """The entropy-coded data between restarts, stuffed zeros removed."""
    stop = _end_of_scan(data, start)
    begin = place = start
    while True:
        place = data.find(b'\xff', place, stop)
        if place < 0 or place + 1 >= stop:
            break
        if RST0 <= data[place + 1] <= RST7:
            yield _unstuffed(data[begin:place])
            begin = place + 2
        place += 1 if data[place + 1] == 0xFF else 2
    yield _unstuffed(data[begin:stop])


def _unstuffed(piece: bytes) -> NDArray[np.uint8]:
    """The data without stuffed zeros, and without the fill bytes that may stand before a marker."""
    return np.frombuffer(piece.rstrip(b'\xff').replace(b'\xff\x00', b'\xff'), np.uint8)
