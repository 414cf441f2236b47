"""Walk through the entropy-coded data of a JPEG, compiled."""

from __future__ import annotations

import numba
import numpy as np

UNKNOWN_CODE, TOO_LONG, OUT_OF_RANGE, ENDED, PADDING = 1, 2, 3, 4, 5
SPARE = 320
"""Bytes of ones behind the data: more than the longest block has, which is read before it is known to end."""


@numba.njit(cache=True, nogil=True)
def _peek(data, place):
    """16 bits from a place on."""
    at, shift = place >> 3, 8 - (place & 7)
    word = (np.uint32(data[at]) << 16) | (np.uint32(data[at + 1]) << 8) | np.uint32(data[at + 2])
    return (word >> shift) & 0xFFFF


@numba.njit(cache=True, nogil=True)
def _bits(data, place, count):
    return np.int64(_peek(data, place) >> (16 - count)) if count else np.int64(0)


@numba.njit(cache=True, nogil=True)
def _mean_of(data, place, table, before):
    """The first coefficient: status, next place, value."""
    entry = table[_peek(data, place)]
    length, size = np.int64(entry >> 8), np.int64(entry & 255)
    if length == 0 or size > 15:
        return UNKNOWN_CODE, place, before
    place += length
    step = _bits(data, place, size)
    if size and step < (1 << (size - 1)):
        step -= (1 << size) - 1
    return 0, place + size, before + step


@numba.njit(cache=True, nogil=True)
def _rest_of(data, place, table, first, last, nonzero, run, marks):
    """Further coefficients of a block, seen for the first time: status, next place, blocks still to skip."""
    if run > 0:
        return 0, place, run - 1
    k = first
    while k <= last:
        entry = table[_peek(data, place)]
        length, zeros, size = np.int64(entry >> 8), np.int64((entry >> 4) & 15), np.int64(entry & 15)
        if length == 0:
            return UNKNOWN_CODE, place, run
        place += length
        if size == 0:
            if zeros == 15:
                k += 16
                continue
            if not marks and zeros:
                return UNKNOWN_CODE, place, run
            run = (1 << zeros) - 1 + _bits(data, place, zeros)
            return 0, place + zeros, run
        k += zeros
        if k > last:
            return TOO_LONG, place, run
        if marks:
            nonzero[k] = True
        place += size
        k += 1
    return (TOO_LONG if k > last + 1 else 0), place, run


@numba.njit(cache=True, nogil=True)
def _refine(data, place, table, first, last, nonzero, run):
    """One bit more for the further coefficients of a block; see :func:`_rest_of`."""
    k = first
    if run == 0:
        while k <= last:
            entry = table[_peek(data, place)]
            length, zeros, size = np.int64(entry >> 8), np.int64((entry >> 4) & 15), np.int64(entry & 15)
            if length == 0 or size > 1:
                return UNKNOWN_CODE, place, run
            place += length
            if size == 0 and zeros < 15:
                run = (1 << zeros) + _bits(data, place, zeros)
                place += zeros
                break
            place += size
            while k <= last:
                if nonzero[k]:
                    place += 1
                elif zeros == 0:
                    break
                else:
                    zeros -= 1
                k += 1
            if size:
                if k > last:
                    return TOO_LONG, place, run
                nonzero[k] = True
            k += 1
    if run > 0:
        while k <= last:
            if nonzero[k]:
                place += 1
            k += 1
        run -= 1
    return 0, place, run


@numba.njit(cache=True, nogil=True)
def decode_segment(
    piece,
    units,
    start,
    columns,
    layout,
    steps,
    dc,
    ac,
    limits,
    nonzero,
    progressive,
    refines,
    has_dc,
    first,
    last,
):
    """Walk through the data between two restarts.

    Args:
        piece: (N,) bytes without stuffed zeros.
        units: Units in it.
        start: Units before it.
        columns: Units in a row of the picture.
        layout: (blocks of a unit, 3): component, row and column in the unit.
        steps: (components, 3): blocks in a row of the picture, and blocks of a unit across and down.
        dc: (components, 65536): what each 16-bit word starts with: length of the code << 8 | value.
        ac: The same for all coefficients but the first.
        limits: (components,): largest magnitude of the first coefficient.
        nonzero: (blocks, 64): of a progressive picture, which coefficients are known not to be zero.
        progressive: Whether it is a progressive picture.
        refines: Whether one bit is added to what is known.
        has_dc: Whether first coefficients are in it.
        first: First coefficient of each block.
        last: Its last one.

    Returns:
        What is wrong, or 0; units that were decoded; bytes left over.
    """
    size = len(piece)
    data = np.full(size + SPARE, 255, np.uint8)
    data[:size] = piece
    place, end, run, status = np.int64(0), np.int64(8 * size), np.int64(0), 0
    means = np.zeros(len(limits), np.int64)
    for unit in range(units):
        row, column = (start + unit) // columns, (start + unit) % columns
        for block in range(len(layout)):
            part = layout[block, 0]
            if has_dc and refines:
                place += 1
            elif has_dc:
                status, place, means[part] = _mean_of(data, place, dc[part], means[part])
                if status == 0 and abs(means[part]) > limits[part]:
                    status = OUT_OF_RANGE
            if status == 0 and last > 0 and place < end + 8:
                index = 0
                if progressive:
                    stride, across, down = steps[part]
                    index = (row * down + layout[block, 1]) * stride + column * across + layout[block, 2]
                if refines:
                    status, place, run = _refine(data, place, ac[part], first, last, nonzero[index], run)
                else:
                    begin = max(first, 1)
                    status, place, run = _rest_of(
                        data, place, ac[part], begin, last, nonzero[index], run, progressive
                    )
            if place > end:
                return ENDED, unit, 0
            if status:
                return status, unit, 0
    if run > 0:
        return ENDED, units, 0
    # What is left of the last byte is all ones (T.81, F.1.2.3); some encoders write zeros.
    spare = (end - place) & 7
    if spare:
        rest = _bits(data, place, spare)
        if rest != 0 and rest != (1 << spare) - 1:
            return PADDING, units, 0
    left = (end - place) >> 3
    for at in range(size - left, size):
        if data[at] != 0:
            return 0, units, left
    return 0, units, 0
