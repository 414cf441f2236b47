"""Compiled walk across a crack: where its edges are, and how much probability lies between its feet."""

# Numba infers the types of its kernels.
# mypy: disallow-untyped-defs=False

from numba import njit


@njit(cache=True, nogil=True)
def bilinear(image, row, column):
    """Value between pixels; beyond the border the image goes on as it is there."""
    height, width = image.shape
    row = min(max(row, 0.0), height - 1.0)
    column = min(max(column, 0.0), width - 1.0)
    top, left = int(row), int(column)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, aside = row - top, column - left
    upper = image[top, left] * (1 - aside) + image[top, right] * aside
    lower = image[bottom, left] * (1 - aside) + image[bottom, right] * aside
    return upper * (1 - down) + lower * down


@njit(cache=True, nogil=True)
def walk_across(image, places, normals, inner, reach, level, foot, valley, step, area, edges, top):
    """Integral and edges of the profile on both sides of each point.

    A walk starts at the highest value near the point and goes outwards. Inside ``inner`` only the image's
    border stops it. Beyond, it stops at ``reach``, where the value falls below ``foot``, and where it rises
    by ``valley`` again: that is another crack, and what was walked since the lowest value does not count.

    Args:
        image: (H, W) float32 profile values, 1 inside a crack and 0 outside.
        places: (N, 2) row and column.
        normals: (N, 2) unit vectors across the line.
        inner: (N,) distance from the point within which all is crack.
        reach: (N,) largest distance from the point.
        level: Value at an edge, as a part of the highest value, which counts as 1 at most.
        foot: Value from which on there is no crack.
        valley: Rise that says that another crack begins.
        step: Distance of two samples.
        area: (N,) integral over the profile, written.
        edges: (N,) distance between the outermost crossings of the level, written.
        top: (N, 2) highest value, and distance between the outermost places of nine tenths of it, written.
    """
    height, width = image.shape
    for index in range(len(places)):
        row, column = places[index]
        down, aside = normals[index]
        near = max(inner[index], 1.0)
        peak, start = -1.0, 0.0
        # From the middle outwards, so that among equals the nearest wins.
        for number in range(int(near / step) + 1):
            for side in (-1.0, 1.0):
                offset = side * number * step
                value = bilinear(image, row + offset * down, column + offset * aside)
                if value > peak + 1e-6:
                    peak, start = value, offset
        wanted = level * min(peak, 1.0)
        total, between, flat = 0.0, 0.0, 0.0
        for side in (-1.0, 1.0):
            before, offset, summed = peak, start, 0.0
            lowest, summed_there = peak, 0.0
            edge, high = 0.0, 0.0
            while side * offset < reach[index]:
                offset += side * step
                at_row, at_column = row + offset * down, column + offset * aside
                if not (-0.5 <= at_row <= height - 0.5 and -0.5 <= at_column <= width - 0.5):
                    break
                value = bilinear(image, at_row, at_column)
                summed += step * (value + before) / 2
                beyond = side * offset > inner[index]
                if before >= 0.9 * peak > value:
                    high = abs(offset - start) - step + step * (before - 0.9 * peak) / (before - value)
                if before >= wanted > value and (beyond or edge == 0):
                    edge = abs(offset - start) - step + step * (before - wanted) / (before - value)
                before = value
                if value < lowest or not beyond:
                    lowest, summed_there = value, summed
                if beyond and lowest < wanted and value > lowest + valley:
                    break
                if beyond and value < foot:
                    break
            total += summed_there
            flat += high if high > 0 else abs(offset - start)
            between += edge if edge > 0 else abs(offset - start)
        area[index] = total
        edges[index] = between
        top[index, 0], top[index, 1] = peak, flat
