"""Where the points of one photo lie in another photo of the same surface: features and a homography."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FEATURES = 2000
RATIO = 0.8
"""A match counts if its descriptor is so many times nearer than the second best (Lowe 2004)."""
REACH = 3.0
"""Distance in pixels of the compared pictures within which a match agrees with a homography."""
LEAST_INLIERS, LEAST_SHARE = 15, 0.2
LARGEST_MAGNIFICATION = 6.0
LEAST_OVERLAP = 0.05


@dataclass(frozen=True)
class Features:
    """Distinctive points of a photo.

    Attributes:
        points: (N, 2) x and y in pixels of the photo.
        descriptors: (N, 128) float32, the roots of SIFT's.
        size: Height and width of the photo.
        pixel: Pixels of the photo per pixel of the picture in which they were found.
    """

    points: NDArray[np.float64]
    descriptors: NDArray[np.float32]
    size: tuple[int, int]
    pixel: float


@dataclass(frozen=True)
class Registration:
    """A homography from the old photo to the new one; both surfaces are taken as plane.

    Attributes:
        matrix: (3, 3), from x, y, 1 in pixels of the old photo to those of the new one; its third row is
            positive on what both photos show.
        inliers: Number of matched points that agree with it.
        residual: Root mean square distance of those, in pixels of the new photo.
        old_size: Height and width of the old photo.
        new_size: Height and width of the new photo.

    Example:
        >>> moved = Registration(np.array([[2, 0, 5], [0, 2, 0], [0, 0, 1.0]]), 20, 0.5, (50, 50), (100, 100))
        >>> moved.to_new(np.array([[10.0, 10.0]])).tolist()
        [[25.0, 20.0]]
        >>> moved.to_old(np.array([[25.0, 20.0]])).tolist()
        [[10.0, 10.0]]
        >>> round(moved.magnification(), 3), round(moved.overlap(), 2)
        (2.0, 0.95)
    """

    matrix: NDArray[np.float64]
    inliers: int
    residual: float
    old_size: tuple[int, int]
    new_size: tuple[int, int]

    def to_new(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (N, 2) of the old photo in the new one; NaN for what lies behind the camera."""
        return _apply(self.matrix, points)

    def to_old(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (N, 2) of the new photo in the old one; NaN for what lies behind the camera."""
        return _apply(np.linalg.inv(self.matrix), points)

    def jacobian(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivative (N, 2, 2) of the new place by the old one."""
        places = np.column_stack([points, np.ones(len(points))]) @ self.matrix.T
        depth = places[:, 2, None, None]
        projected = places[:, :2, None] / depth
        return (self.matrix[None, :2, :2] - projected * self.matrix[None, 2:, :2]) / depth

    def magnification(self) -> float:
        """Pixels of the new photo per pixel of the old one in the middle of what both show."""
        middle = self.to_old(np.array([[self.new_size[1] / 2, self.new_size[0] / 2]]))
        middle = np.clip(middle, 0, (self.old_size[1], self.old_size[0]))
        return float(np.sqrt(abs(np.linalg.det(self.jacobian(middle)[0]))))

    def overlap(self) -> float:
        """Share of the new photo that the old one shows, too."""
        return float(inside(self.to_old(_grid(self.new_size)), self.old_size).mean())


def describe(picture: NDArray[np.uint8], size: tuple[int, int]) -> Features:
    """Find the distinctive points of a photo.

    Args:
        picture: RGB (h, w, 3), the photo, reduced or not.
        size: Height and width of the photo itself.

    Returns:
        Up to 2000 points, the most distinctive first. The picture's contrast is equalised in tiles before, so
        the light matters little.
    """
    grey = cv2.createCLAHE(3.0, (8, 8)).apply(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    # Concrete has little contrast; points that are not distinctive drop out when they are matched.
    keypoints, descriptors = cv2.SIFT_create(FEATURES, contrastThreshold=0.01).detectAndCompute(grey, None)
    pixel = size[1] / picture.shape[1]
    if descriptors is None:
        return Features(np.zeros((0, 2)), np.zeros((0, 128), np.float32), size, pixel)
    order = np.argsort([-point.response for point in keypoints], kind='stable')
    # OpenCV's coordinates count from the middle of the first pixel, ours from its corner.
    points = (np.array([keypoints[index].pt for index in order]) + 0.5) * pixel
    descriptors = descriptors[order]
    descriptors = descriptors / np.maximum(np.abs(descriptors).sum(1, keepdims=True), 1e-9)
    return Features(points, np.sqrt(descriptors).astype(np.float32), size, pixel)


def register(old: Features, new: Features) -> Registration | None:
    """Find the homography between two photos.

    Args:
        old: Features of the old photo.
        new: Features of the new one.

    Returns:
        The registration, or None if the photos do not show the same place: fewer than 15 points (or than a
        fifth of the matches) agree, or a homography comes out that no camera makes.
    """
    pairs = _matches(old.descriptors, new.descriptors)
    if len(pairs) < LEAST_INLIERS:
        return None
    first, second = old.points[pairs[:, 0]], new.points[pairs[:, 1]]
    reach = REACH * max(new.pixel, 1.0)
    matrix, agrees = cv2.findHomography(
        first, second, cv2.USAC_MAGSAC, reach, maxIters=5000, confidence=0.9999
    )
    if matrix is None:
        return None
    near = agrees.ravel().astype(bool)
    if near.sum() < max(LEAST_INLIERS, LEAST_SHARE * len(pairs)):
        return None
    depths = np.column_stack([first[near], np.ones(near.sum())]) @ matrix[2]
    if np.median(depths) < 0:
        matrix = -matrix
    distance = np.linalg.norm(_apply(matrix, first[near]) - second[near], axis=1)
    residual = float(np.sqrt((distance**2).mean()))
    found = Registration(matrix, int(near.sum()), residual, old.size, new.size)
    return found if _is_plausible(found) else None


def inside(points: NDArray[np.float64], size: tuple[int, int], margin: float = 0.0) -> NDArray[np.bool_]:
    """Which points (N, 2) lie in a photo of a size, and at least ``margin`` pixels from its border."""
    x, y = points.T
    return (x >= margin) & (y >= margin) & (x <= size[1] - margin) & (y <= size[0] - margin)


def _matches(old: NDArray[np.float32], new: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N, 2) numbers of descriptors that are each other's nearest, by far."""
    if len(old) < 2 or len(new) < 2:
        return np.zeros((0, 2), np.int64)
    likeness = old @ new.T
    best = likeness.argmax(1)
    rows = np.arange(len(old))
    nearest = likeness[rows, best]
    mutual = likeness.argmax(0)[best] == rows
    likeness[rows, best] = -np.inf
    # Descriptors have unit length: squared distance is 2 - 2 likeness.
    clear = 1 - nearest < RATIO**2 * (1 - likeness.max(1))
    return np.column_stack([rows, best])[mutual & clear]


def _is_plausible(found: Registration) -> bool:
    """Whether a camera can have moved so: no mirror image, no horizon in the common part, no extreme zoom."""
    grid = _grid(found.new_size)
    old = found.to_old(grid)
    common = inside(old, found.old_size)
    if common.mean() < LEAST_OVERLAP:
        return False
    determinant = np.linalg.det(found.jacobian(old[common]))
    zoom = np.sqrt(np.abs(determinant))
    limits = (1 / LARGEST_MAGNIFICATION, LARGEST_MAGNIFICATION)
    return bool((determinant > 0).all() and zoom.min() > limits[0] and zoom.max() < limits[1])


def _grid(size: tuple[int, int], steps: int = 20) -> NDArray[np.float64]:
    """Points (400, 2) spread evenly over a photo."""
    x, y = ((np.arange(steps) + 0.5) / steps * side for side in (size[1], size[0]))
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    places = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    depth = np.where(places[:, 2] > 0, places[:, 2], np.nan)
    return places[:, :2] / depth[:, None]
