"""Find the plane of a wall from squares of known size on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, least_squares

from .scales import NoScale
from .wall_plane import WallPlane, plane_jacobian

GRID = 5
CORNER_STD = 0.3
"""Standard deviation of a marker's corner in pixels, each coordinate."""

WORST_MISFIT = 25.0
"""Mean squared misfit, in variances of a corner, from which on the markers are no squares in one plane."""

FOCAL_GUESS, FOCAL_GUESS_STD = 1.0, 0.5
"""Focal length over the photo's long side where nothing is known (36 mm equivalent), and the standard
deviation of its logarithm: two thirds of all lenses have 22 to 60 mm."""

LEAST_FOCAL_STD = 0.02
CENTRE_STD = 0.03
"""Distance of the optical axis from the photo's centre, over the long side."""

CAMERA = 9
"""Parameters of the camera: focal length, two of the optical axis, three of rotation and of translation."""

STEP = 1e-6


class PlaneError(NoScale):
    """No plane fits the markers, or the plane cannot give a scale; the message says why."""


class FocalGuess(NamedTuple):
    """Focal length in pixels and the standard deviation of its logarithm."""

    pixels: float
    std: float


def quad_area(corners: NDArray) -> float:
    """Area of a polygon (N, 2)."""
    return float(cv2.contourArea(np.asarray(corners, np.float32)))


def fit_plane(
    markers: Sequence[NDArray],
    marker_size: float,
    size: tuple[int, int],
    focal: FocalGuess | None = None,
    corner_std: float = CORNER_STD,
) -> WallPlane:
    """Find the plane in which squares of known size lie.

    A pinhole camera looks at the plane; its focal length, optical axis, and pose and the places of the
    squares in the plane are fitted to all corners by least squares, what is known of the camera beforehand
    counting as one more observation. So a small square, which hardly shows a perspective of its own, gives
    the scale at its place, and a standard deviation that grows with the distance from it.

    A square seen from far has two poses that fit almost equally well, as either side may be the nearer one.
    What they differ by counts into the standard deviation, by how likely the second is.

    Args:
        markers: Corners of each square, (4, 2) in pixels, clockwise from the upper left one.
        marker_size: Length of their sides in millimetres.
        size: Height and width of the photo.
        focal: Focal length, where it is known.
        corner_std: Standard deviation of the corners' coordinates in pixels.

    Raises:
        PlaneError: The squares are of different sizes or in different planes, or the plane's horizon crosses
            the photo.
    """
    problem = _Problem(markers, marker_size, size, focal, corner_std)
    fits = sorted((problem.solve(pose) for pose in problem.poses()), key=lambda fit: fit.cost)
    if not fits:
        raise PlaneError('no pose of the camera fits the marker')
    best, freedom = fits[0], 8 * len(markers) - (CAMERA - 3) - 3 * (len(markers) - 1)
    misfit = 2 * best.cost / max(freedom, 1)
    if len(markers) > 1 and misfit > WORST_MISFIT:
        raise PlaneError(
            f'the {len(markers)} markers do not lie in one plane or differ in size: they fit to '
            f'{corner_std * math.sqrt(misfit):.1f} pixels'
        )
    homography = problem.homography(best.x)
    problem.check_horizon(homography)
    scales = problem.log_scales(best.x)
    variance = problem.variances(best) * max(misfit, 1.0)
    if len(fits) > 1:
        odds = math.exp(-min(fits[1].cost - best.cost, 50.0))
        second = problem.log_scales(fits[1].x)
        variance = variance + odds / (1 + odds) * np.where(np.isfinite(second), second - scales, 1.0) ** 2
    return WallPlane(
        tuple(map(tuple, (homography / homography[2, 2]).tolist())),
        size,
        tuple(map(tuple, np.sqrt(variance).reshape(GRID, GRID).tolist())),
        problem.tilt(best.x),
    )


class _Problem:
    """Least squares over camera, pose, and places of the squares in the plane of the largest one."""

    def __init__(
        self,
        markers: Sequence[NDArray],
        marker_size: float,
        size: tuple[int, int],
        focal: FocalGuess | None,
        corner_std: float,
    ) -> None:
        self.long = max(size)
        self.size, self.side, self.std = size, marker_size, corner_std
        self.centre = np.array([size[1], size[0]]) / 2
        self.focal = focal or FocalGuess(FOCAL_GUESS * self.long, FOCAL_GUESS_STD)
        self.markers = np.array(sorted(markers, key=quad_area, reverse=True), np.float64)
        self.square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (marker_size / 2)
        self.grid = np.array(
            [(x, y) for y in np.linspace(0, size[0], GRID) for x in np.linspace(0, size[1], GRID)]
        )

    def poses(self) -> list[NDArray[np.float64]]:
        """Parameters to start from, one set for each pose that the largest square allows."""
        points = np.column_stack([self.square, np.zeros(4)])
        _, rotations, shifts, _ = cv2.solvePnPGeneric(
            points, self.markers[0], self._camera(np.zeros(3)), None, flags=cv2.SOLVEPNP_IPPE
        )
        starts = []
        for rotation, shift in zip(rotations, shifts, strict=True):
            camera = np.concatenate([np.zeros(3), rotation.ravel(), shift.ravel() / self.side])
            to_plane = self.homography(camera)
            places = [
                self._place(cv2.perspectiveTransform(one[None], to_plane)[0]) for one in self.markers[1:]
            ]
            starts.append(np.concatenate([camera, *places]))
        return [start for start in starts if np.isfinite(start).all()]

    def solve(self, start: NDArray) -> OptimizeResult:
        return least_squares(self._residuals, start, x_scale='jac', method='lm', max_nfev=2000)

    def homography(self, parameters: NDArray) -> NDArray[np.float64]:
        """From pixels to millimetres."""
        return np.linalg.inv(self._to_photo(parameters))

    def tilt(self, parameters: NDArray) -> float:
        normal = cv2.Rodrigues(parameters[3:6])[0][:, 2]
        return math.degrees(math.acos(min(abs(float(normal[2])), 1.0)))

    def check_horizon(self, homography: NDArray) -> None:
        """Refuse a plane that some part of the photo does not show."""
        depth = np.column_stack([self.grid, np.ones(len(self.grid))]) @ homography[2]
        middle = homography[2] @ (*self.markers[0].mean(0), 1.0)
        if (depth / middle <= 0.05).any():
            raise PlaneError("the horizon of the marker's plane crosses the photo")

    def log_scales(self, parameters: NDArray) -> NDArray[np.float64]:
        """Logarithm of the scale at the points of the grid."""
        homography = self.homography(parameters)
        determinants = [np.linalg.det(plane_jacobian(homography, x, y)) for x, y in self.grid]
        return 0.5 * np.log(np.abs(determinants))

    def variances(self, fit: OptimizeResult) -> NDArray[np.float64]:
        """Of the logarithms of the scales, from the covariance of the parameters."""
        covariance = np.linalg.pinv(fit.jac.T @ fit.jac)[:CAMERA, :CAMERA]
        columns = []
        for index in range(CAMERA):
            step = np.zeros(len(fit.x))
            step[index] = STEP * max(abs(fit.x[index]), 1.0)
            change = self.log_scales(fit.x + step) - self.log_scales(fit.x - step)
            columns.append(change / (2 * step[index]))
        gradient = np.column_stack(columns)
        return np.einsum('ni,ij,nj->n', gradient, covariance, gradient)

    def _residuals(self, parameters: NDArray) -> NDArray[np.float64]:
        to_photo = self._to_photo(parameters)
        squares = [self.square]
        for angle, *place in parameters[CAMERA:].reshape(-1, 3):
            turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
            squares.append(self.square @ turn + self.side * np.array(place))
        points = np.column_stack([np.concatenate(squares), np.ones(4 * len(squares))]) @ to_photo.T
        seen = points[:, :2] / points[:, 2:]
        known = [parameters[0] / self.focal.std, parameters[1] / CENTRE_STD, parameters[2] / CENTRE_STD]
        return np.concatenate([(seen - self.markers.reshape(-1, 2)).ravel() / self.std, known])

    def _to_photo(self, parameters: NDArray) -> NDArray[np.float64]:
        """From millimetres on the wall to pixels."""
        rotation = cv2.Rodrigues(parameters[3:6])[0]
        pose = np.column_stack([rotation[:, :2], self.side * parameters[6:9]])
        return self._camera(parameters[:3]) @ pose

    def _camera(self, parameters: NDArray) -> NDArray[np.float64]:
        focal = self.focal.pixels * math.exp(parameters[0])
        x, y = self.centre + self.long * parameters[1:3]
        return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])

    def _place(self, corners: NDArray) -> NDArray[np.float64]:
        """Angle and place of a square from its corners on the wall."""
        right = corners[1] - corners[0] + corners[2] - corners[3]
        return np.array([math.atan2(right[1], right[0]), *(corners.mean(0) / self.side)])
