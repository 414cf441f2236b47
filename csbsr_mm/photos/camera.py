"""What a photo's EXIF and XMP data say about the camera: focal length, distance to the wall, direction.

Tags by number, as in EXIF 2.32 (CIPA DC-008); DJI's names are those in the XMP packet of its drones' photos.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from PIL import Image

SUBJECT_DISTANCE, FOCAL_LENGTH, FOCAL_LENGTH_35, DIGITAL_ZOOM = 0x9206, 0x920A, 0xA405, 0xA404
PIXEL_X, PIXEL_Y, FOCAL_PLANE_X, FOCAL_PLANE_UNIT = 0xA002, 0xA003, 0xA20E, 0xA210
DIRECTION_REFERENCE, DIRECTION = 16, 17
MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""Length of the unit of the focal plane's resolution."""

FULL_FRAME_DIAGONAL = math.hypot(36, 24)
SENSOR_SIDES = (1.0, 120.0)
"""Plausible lengths of a sensor's long side in millimetres; other values are those of a wrong tag."""

INFINITE_DISTANCE = 10_000.0
STRAIGHT_DOWN = 5.0
"""Degrees by which a camera that looks straight down may be off."""

DJI = 'http://www.dji.com/drone-dji/1.0/'
XMP_TAG = 700


@dataclass(frozen=True)
class CameraFacts:
    """What is known about the camera of a photo; None is unknown.

    Attributes:
        focal_pixels: Focal length in pixels of the photo as it is stored.
        focal_std: Its relative standard deviation, where it follows from rounding.
        focal_source: Where it is known from.
        focal_length: Focal length in millimetres.
        distance: Metres from the camera to the wall.
        distance_std: Its standard deviation in metres.
        distance_source: Where it is known from.
        heading: Direction of view, degrees clockwise from north, [0, 360). Of a camera that looks straight
            down it is the direction of the photo's upper side.
        pitch: Degrees above the horizon; -90 is straight down.
        roll: Degrees by which the photo's right side hangs lower than its left.
        doubt: Why the focal length in pixels cannot be known.
    """

    focal_pixels: float | None = None
    focal_std: float | None = None
    focal_source: str = ''
    focal_length: float | None = None
    distance: float | None = None
    distance_std: float | None = None
    distance_source: str = ''
    heading: float | None = None
    pitch: float | None = None
    roll: float | None = None
    doubt: str = ''


def camera_facts(image: Image.Image, details: dict, gps: dict) -> CameraFacts:
    """Collect what a photo says about its camera.

    Args:
        image: The photo as opened, not turned upright. Its pixels are not read.
        details: Tags of the EXIF block.
        gps: Tags of its GPS block.

    Returns:
        The facts; malformed values count as absent.
    """
    dji = dji_values(image)
    focal_length = _positive(details.get(FOCAL_LENGTH))
    factor, doubt = _enlargement(image.size, details)
    focal, std, source = (
        (None, None, '')
        if doubt
        else _focal_pixels(max(image.size), math.hypot(*image.size), factor, details, dji)
    )
    distance, distance_std, distance_source = _distance(details, dji)
    heading = _number(dji.get('GimbalYawDegree'))
    if heading is None:
        heading = _number(gps.get(DIRECTION))
    return CameraFacts(
        focal_pixels=focal,
        focal_std=std,
        focal_source=source,
        focal_length=focal_length,
        distance=distance,
        distance_std=distance_std,
        distance_source=distance_source,
        heading=None if heading is None else heading % 360,
        pitch=_number(dji.get('GimbalPitchDegree')),
        roll=_number(dji.get('GimbalRollDegree')),
        doubt=doubt,
    )


def dji_values(image: Image.Image) -> dict[str, str]:
    """What DJI's drones write into the XMP packet, by name.

    Packets with a document type are left alone: they could blow up on expansion, and no camera writes them.
    """
    packet = _xmp_packet(image)
    if not packet or '<!' in packet:
        return {}
    try:
        root = ElementTree.fromstring(packet)
    except (ElementTree.ParseError, ValueError):
        return {}
    prefix, values = f'{{{DJI}}}', {}
    for node in root.iter():
        if node.tag.startswith(prefix) and node.text:
            values[node.tag[len(prefix) :]] = node.text.strip()
        values |= {key[len(prefix) :]: value for key, value in node.attrib.items() if key.startswith(prefix)}
    return values


def _xmp_packet(image: Image.Image) -> str:
    packet = image.info.get('xmp') or image.info.get('XML:com.adobe.xmp')
    if packet is None and image.format == 'TIFF':
        packet = getattr(image, 'tag_v2', {}).get(XMP_TAG)
    if isinstance(packet, bytes):
        packet = packet.decode('utf-8', 'ignore')
    return packet.strip('\x00\ufeff \r\n\t') if isinstance(packet, str) else ''


def _enlargement(size: tuple[int, int], details: dict) -> tuple[float, str]:
    """How much larger the file is than what the camera took, and why that cannot be known."""
    zoom = _positive(details.get(DIGITAL_ZOOM))
    if zoom is not None and zoom > 1.005:
        return 1.0, f'digital zoom of {zoom:g}, which cameras account for in different ways'
    taken = (_positive(details.get(PIXEL_X)), _positive(details.get(PIXEL_Y)))
    if None in taken:
        return 1.0, ''
    (short, long), (taken_short, taken_long) = sorted(size), sorted(taken)
    # A pixel of rounding on the short side is no cut.
    if abs(short - taken_short * long / taken_long) > 1.5:
        return 1.0, f'the photo was cut: {size[0]}x{size[1]} pixels of {taken[0]:g}x{taken[1]:g}'
    return long / taken_long, ''


def _focal_pixels(
    long: int, diagonal: float, factor: float, details: dict, dji: dict
) -> tuple[float | None, float | None, str]:
    """Focal length in pixels, its relative standard deviation, and where it is known from."""
    calibrated = _positive(dji.get('CalibratedFocalLength'))
    if calibrated is not None:
        return calibrated * factor, None, "DJI's calibrated focal length"
    focal_length, resolution = _positive(details.get(FOCAL_LENGTH)), _positive(details.get(FOCAL_PLANE_X))
    if focal_length is not None and resolution is not None:
        per_millimetre = resolution / MILLIMETRES.get(details.get(FOCAL_PLANE_UNIT, 2), 25.4)
        if SENSOR_SIDES[0] <= long / factor / per_millimetre <= SENSOR_SIDES[1]:
            return focal_length * per_millimetre * factor, None, f'focal length {focal_length:g} mm'
    equivalent = _positive(details.get(FOCAL_LENGTH_35))
    if equivalent is not None:
        # The tag is a whole number: half a millimetre either way.
        std = 0.5 / math.sqrt(3) / equivalent
        focal = equivalent / FULL_FRAME_DIAGONAL * diagonal
        return focal, std, f'focal length {equivalent:g} mm (35 mm equivalent)'
    return None, None, ''


def _distance(details: dict, dji: dict) -> tuple[float | None, float | None, str]:
    """Metres to the wall, their standard deviation, and where they are known from."""
    laser = _positive(dji.get('LRFTargetDistance'))
    if laser is not None and dji.get('LRFStatus', 'Normal').lower() == 'normal':
        # DJI states limits of 0.2 m + 0.15 % for the range finders of its H20 and M30 cameras.
        return laser, (0.2 + 0.0015 * laser) / math.sqrt(3), "DJI's laser range finder"
    subject = _positive(details.get(SUBJECT_DISTANCE))
    if subject is not None and subject < INFINITE_DISTANCE:
        return subject, None, 'EXIF subject distance'
    height, pitch = _positive(dji.get('RelativeAltitude')), _number(dji.get('GimbalPitchDegree'))
    if height is not None and pitch is not None and abs(pitch + 90) <= STRAIGHT_DOWN:
        return height, None, 'height above take-off, looking straight down'
    return None, None, ''


def _number(value: object) -> float | None:
    with suppress(TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = float(value)  # type: ignore[arg-type]
        return number if math.isfinite(number) else None
    return None


def _positive(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None
