"""Crack detection without learning: baselines that a trained model has to exceed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from csbsr_mm._extras import need


def otsu_cracks(image: NDArray[np.floating], smoothing: float = 2.0) -> NDArray[np.float32]:
    """Dark pixels, below the threshold that separates the grey values best (Otsu).

    Args:
        image: (H, W, 3) RGB in [0, 1].
        smoothing: Standard deviation in pixels of a Gaussian that comes first.

    Returns:
        (H, W), 1 where a crack is assumed, else 0.

    Reference:
        Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 1979.
    """
    need('The Otsu baseline', 'skimage')
    from skimage.filters import gaussian, threshold_otsu

    grey = gaussian(_grey(image), smoothing)
    if np.ptp(grey) < 1e-6:
        return np.zeros(grey.shape, np.float32)
    return (grey < threshold_otsu(grey)).astype(np.float32)


def frangi_cracks(
    image: NDArray[np.floating], widths: tuple[float, ...] = (2.0, 4.0, 6.0)
) -> NDArray[np.float32]:
    """Dark ridges by the eigenvalues of the Hessian (Frangi filter), between 0 and 1.

    Args:
        image: (H, W, 3) RGB in [0, 1].
        widths: Standard deviations in pixels at which ridges are looked for.

    Returns:
        (H, W): the response over its 99.5th percentile, cut at 1.

    Reference:
        Frangi et al., "Multiscale vessel enhancement filtering", MICCAI 1998.
    """
    need('The Frangi baseline', 'skimage')
    from skimage.filters import frangi

    response = frangi(_grey(image), sigmas=widths, black_ridges=True, mode='reflect')
    strongest = np.percentile(response, 99.5)
    if strongest <= 0:
        return np.zeros(response.shape, np.float32)
    return np.clip(response / strongest, 0, 1).astype(np.float32)


def _grey(image: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(image, np.float64) @ (0.299, 0.587, 0.114)
