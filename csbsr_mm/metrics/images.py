"""Checks of what is measured: shapes, kinds and ranges, with the image's name."""

from __future__ import annotations

from typing import Any

import numpy as np


def checked_image(prob: Any, target: Any, ignore: Any, name: str = '') -> tuple[Any, Any, Any]:
    """The three maps of one image, checked.

    Args:
        prob: (H, W) probability of a crack, an array or a tensor.
        target: (H, W) mask of 0 and one other value.
        ignore: (H, W) bool, or None.
        name: Of the image, for errors.

    Raises:
        ValueError: Shapes differ, a map is not (H, W), ``prob`` is of integers, a probability that is not
            ignored is not in [0, 1], or ``target`` holds more than two values that are not ignored.

    Example:
        >>> checked_image(np.zeros((2, 3)), np.zeros((2, 4)), None, 'a.png')
        Traceback (most recent call last):
        ...
        ValueError: a.png: prob is (2, 3) and target (2, 4); give both one size (H, W)
    """
    where = f'{name}: ' if name else ''
    prob, target = _array_or_tensor(prob), _array_or_tensor(target)
    ignore = None if ignore is None else _array_or_tensor(ignore)
    _check_shapes({'prob': prob, 'target': target} | ({} if ignore is None else {'ignore': ignore}), where)
    known = None if ignore is None else ignore == 0
    _check_probabilities(prob if known is None else prob[known], where)
    _check_mask(target if known is None else target[known], where)
    return prob, target, ignore


def shown_values(values: Any) -> str:
    """The different values of an array or a tensor, the first and the last of many.

    Example:
        >>> shown_values(np.arange(300) % 256)
        '0, 1, 2, 3, 4, 5, ..., 255'
    """
    present = [f'{value:g}' for value in np.unique(values.cpu() if hasattr(values, 'cpu') else values)]
    return ', '.join(present if len(present) < 8 else [*present[:6], '...', present[-1]])


def _array_or_tensor(values: Any) -> Any:
    return values if hasattr(values, 'is_floating_point') else np.asarray(values)


def _check_shapes(maps: dict[str, Any], where: str) -> None:
    shapes = {label: tuple(values.shape) for label, values in maps.items()}
    for label, shape in shapes.items():
        if len(shape) != 2 or 0 in shape or shape != shapes['prob']:
            raise ValueError(
                f'{where}prob is {shapes["prob"]} and {label} {shape}; give both one size (H, W)'
            )


def _check_probabilities(known: Any, where: str) -> None:
    """Refuse what is not in [0, 1], of (N,) or (H, W) probabilities."""
    is_tensor = hasattr(known, 'is_floating_point')
    if not (known.is_floating_point() if is_tensor else known.dtype.kind == 'f'):
        raise ValueError(
            f'{where}prob is of {known.dtype}; give probabilities in [0, 1], 8-bit maps divided by 255'
        )
    # NaN is neither, and would pass for "no crack": the best IoU on an image without one.
    if np.size(known) and not (known.min() >= 0 and known.max() <= 1):
        raise ValueError(
            f'{where}prob ranges from {float(known.min()):.3g} to {float(known.max()):.3g}, not in [0, 1]; '
            'apply the sigmoid or the softmax to logits; NaN means that the network has diverged'
        )


def _check_mask(known: Any, where: str) -> None:
    """Refuse grey values and labels of several classes, of (N,) or (H, W) values of a mask."""
    kind = str(known.dtype).removeprefix('torch.')
    if kind == 'bool' or not np.size(known):
        return
    if not kind.startswith(('int', 'uint', 'float', 'bfloat')):
        raise ValueError(f'{where}target is of {known.dtype}; give a mask of 0 and 1, or of 0 and 255')
    if ((known != 0) & (known != known.max())).any():
        raise ValueError(
            f'{where}target holds the values {shown_values(known)}; a mask is of 0 and one other value, '
            'such as 1 or 255; say which pixels do not count, and compare labels of several classes with the '
            'one to measure'
        )
