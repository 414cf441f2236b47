"""The scale of a photo from the distance of the wall and the focal length."""

from __future__ import annotations

import math
from dataclasses import dataclass

from csbsr_mm.photos.camera import CameraFacts

from .scales import NoScale, PhotoScale


@dataclass(frozen=True)
class CameraKnowledge:
    """What is known beside the data in the photos; it wins over them.

    Attributes:
        distance: Metres from the camera to the wall.
        distance_std: Its standard deviation.
        sensor_width: Long side of the camera's sensor in millimetres.

    Raises:
        ValueError: A value is not positive.
    """

    distance: float | None = None
    distance_std: float | None = None
    sensor_width: float | None = None

    def __post_init__(self) -> None:
        for name in ('distance', 'sensor_width'):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f'{name.replace("_", " ")} must be positive, got {value}')
        if self.distance_std is not None and not 0 <= self.distance_std < math.inf:
            raise ValueError(
                f'the standard deviation of the distance must not be negative, got {self.distance_std}'
            )


def camera_scale(
    facts: CameraFacts, size: tuple[int, int], known: CameraKnowledge | None = None
) -> PhotoScale:
    """The size of a pixel on a wall at right angles to the optical axis: distance / focal length in pixels.

    The standard deviation has those of the distance and of the rounded 35 mm equivalent; it is None where the
    distance's is unknown.

    Args:
        facts: What the photo says.
        size: Its height and width.
        known: What is known beside.

    Raises:
        NoScale: Distance or focal length is unknown.

    Example:
        >>> facts = CameraFacts(focal_pixels=4000, focal_source='calibration')
        >>> str(camera_scale(facts, (3000, 4000), CameraKnowledge(distance=8, distance_std=0.1)))
        '2 ± 0.025 mm per pixel (distance 8 m, given; calibration)'
    """
    known = known or CameraKnowledge()
    distance, distance_std, where = facts.distance, facts.distance_std, facts.distance_source
    if known.distance is not None:
        distance, distance_std, where = known.distance, known.distance_std, 'given'
    if distance is None:
        raise NoScale('the photo does not say how far the wall was')
    focal, focal_std, focal_source = _focal(facts, max(size), known.sensor_width)
    scale = 1000 * distance / focal
    std = None if distance_std is None else scale * math.hypot(distance_std / distance, focal_std)
    return PhotoScale(scale, std, f'distance {distance:g} m, {where}; {focal_source}')


def _focal(facts: CameraFacts, long: int, sensor_width: float | None) -> tuple[float, float, str]:
    """Focal length in pixels, its relative standard deviation, and where it is known from."""
    if facts.doubt:
        raise NoScale(f'the focal length in pixels is unknown: {facts.doubt}')
    if sensor_width is not None and facts.focal_length is not None:
        source = f'focal length {facts.focal_length:g} mm, sensor {sensor_width:g} mm'
        return facts.focal_length / sensor_width * long, 0.0, source
    if facts.focal_pixels is None:
        missing = 'the width of the sensor' if facts.focal_length is not None else 'the focal length'
        raise NoScale(f'the photo does not say {missing}')
    return facts.focal_pixels, facts.focal_std or 0.0, facts.focal_source
