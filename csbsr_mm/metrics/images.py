"""Checks of what is measured: shapes, kinds and ranges, with the image's name."""

from __future__ import annotations

from typing import Any

import numpy as np


def checked_image(prob: Any, target: Any, ignore: Any, name: str = '') -> tuple[Any, Any, Any]:
    """The three maps of one image, checked.

    Args:
        prob: (H, W) probability of a crack, an array or a tensor.
        target: (H, W) mask.
        ignore: (H, W) bool, or None.
        name: Of the image, for errors.

    Raises:
        ValueError: Shapes differ, a map is not (H, W), ``prob`` is of integers, or a probability that is not
            ignored is not in [0, 1].

    Example:
        >>> checked_image(np.zeros((2, 3)), np.zeros((2, 4)), None, 'a.png')
        Traceback (most recent call last):
        ...
        ValueError: a.png: prob is (2, 3) and target (2, 4); give both one size (H, W)
    """
    where = f'{name}: ' if name else ''
    maps = {'prob': prob, 'target': target} | ({} if ignore is None else {'ignore': ignore})
    shapes = {label: tuple(np.shape(values)) for label, values in maps.items()}
    for label, shape in shapes.items():
        if len(shape) != 2 or 0 in shape or shape != shapes['prob']:
            raise ValueError(
                f'{where}prob is {shapes["prob"]} and {label} {shape}; give both one size (H, W)'
            )
    is_tensor = hasattr(prob, 'is_floating_point')
    is_float = prob.is_floating_point() if is_tensor else np.asarray(prob).dtype.kind == 'f'
    if not is_float:
        raise ValueError(
            f'{where}prob is of {prob.dtype}; give probabilities in [0, 1], 8-bit maps divided by 255'
        )
    # NaN is neither, and would pass for "no crack": the best IoU on an image without one.
    known = prob if ignore is None else prob[ignore == 0]
    if np.size(known) and not (known.min() >= 0 and known.max() <= 1):
        raise ValueError(
            f'{where}prob ranges from {float(known.min()):.3g} to {float(known.max()):.3g}, not in [0, 1]; '
            'apply the sigmoid or the softmax to logits; NaN means that the network has diverged'
        )
    return prob, target, ignore
