"""Where the scale of each photo comes from: a table, the camera's data, a marker, or one number."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from csbsr_mm._extras import need
from csbsr_mm.photos.camera import CameraFacts

from .camera import CameraKnowledge, camera_scale
from .scales import NoScale, PhotoScale, ScaleTable, read_scales

if TYPE_CHECKING:
    from .markers import MarkerKind

SOURCES = ('table', 'camera', 'marker', 'number')
"""In this order; the first that gives a scale is taken."""


class PhotoOfRun(NamedTuple):
    """What must be known of a photo to find its scale."""

    path: str
    size: tuple[int, int]
    camera: CameraFacts


@dataclass
class FoundScales:
    """Scales of photos.

    Attributes:
        scales: By the photo's path. Photos to which the one number applies are not among them.
        missing: Why a photo has no scale, by its path.
    """

    scales: dict[str, PhotoScale] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class ScaleSources:
    """Finds the scale of each photo.

    Args:
        table: Scales by photo, as :func:`.read_scales` gives them.
        known: Distance and sensor width where they are known.
        marker: What marker to look for; None looks for none.
        number: Millimetres per pixel of all photos for which nothing else is known.
        order: Sources to ask, some of :data:`SOURCES`.

    Raises:
        ValueError: There is no such source.
    """

    def __init__(
        self,
        table: Mapping[str, PhotoScale] | None = None,
        known: CameraKnowledge | None = None,
        marker: MarkerKind | None = None,
        number: float | None = None,
        order: Sequence[str] = SOURCES,
    ) -> None:
        unknown = [name for name in order if name not in SOURCES]
        if unknown or not order:
            raise ValueError(f'no source of scales {", ".join(unknown)!r}; there are {", ".join(SOURCES)}')
        self.table = ScaleTable(table or {})
        self.known, self.marker, self.number, self.order = known or CameraKnowledge(), marker, number, order

    @property
    def asked(self) -> bool:
        """Whether the user gave anything to find scales by."""
        given = (self.table.scales, self.marker, self.number, self.known != CameraKnowledge())
        return any(given)

    def of(self, photo: PhotoOfRun) -> PhotoScale | None:
        """The scale of a photo; None where the one number applies.

        Raises:
            ValueError: No source gives a scale; the message says what each lacks.
        """
        reasons = []
        for source in self.order:
            try:
                scale = getattr(self, f'_from_{source}')(photo)
            except NoScale as error:
                reasons.append(str(error))
                continue
            if scale is not None or (source == 'number' and self.number is not None):
                return scale
        if self.table.scales and 'table' in self.order:
            reasons.insert(0, 'it is not in the table of scales')
        if self.marker is not None and 'marker' in self.order and not any('marker' in one for one in reasons):
            reasons.append('no marker was found')
        raise ValueError('; '.join(reasons) or 'no source of scales was given')

    def all_of(self, photos: Iterable[PhotoOfRun]) -> FoundScales:
        """The scales of all photos.

        If the user gave nothing to find scales by, the camera's data count only where every photo has them: a
        report is in one unit.
        """
        found = FoundScales()
        for photo in photos:
            try:
                scale = self.of(photo)
            except ValueError as error:
                found.missing[photo.path] = str(error)
                continue
            if scale is not None:
                found.scales[photo.path] = scale
        if found.missing and not self.asked:
            return FoundScales(missing=found.missing)
        return found

    def unused(self, paths: Iterable[str]) -> list[str]:
        """Photos of the table that are not among these."""
        used = {self.table.name_of(path) for path in paths}
        return [name for name in self.table.scales if name not in used]

    def _from_table(self, photo: PhotoOfRun) -> PhotoScale | None:
        return self.table.of(photo.path)

    def _from_camera(self, photo: PhotoOfRun) -> PhotoScale:
        return camera_scale(photo.camera, photo.size, self.known)

    def _from_marker(self, photo: PhotoOfRun) -> PhotoScale | None:
        if self.marker is None:
            return None
        # Only here: without markers the base installation is enough.
        from csbsr_mm.photos.reader import PhotoError, read_photo

        from .markers import marker_scale

        try:
            image = read_photo(photo.path)
        except PhotoError as error:
            raise NoScale(str(error)) from error
        try:
            return marker_scale(image.pixels, self.marker, photo.camera)
        finally:
            image.close()

    def _from_number(self, _: PhotoOfRun) -> None:
        return None


def sources_from(args: argparse.Namespace) -> ScaleSources:
    """The sources that a command line names; see :func:`csbsr_mm.cli.arguments.add_scales`.

    Raises:
        FileNotFoundError: There is no such table.
        ValueError: A value is out of range; the message names the option.
    """
    number = args.mm_per_pixel
    if number is not None and not number > 0:
        raise ValueError(f'--mm-per-pixel must be positive, got {number}')
    distance, distance_std = args.wall_distance or (None, None)
    return ScaleSources(
        read_scales(args.scales) if args.scales else None,
        CameraKnowledge(distance, distance_std, args.sensor_width),
        _marker_from(args),
        number,
        args.scale_order.split(',') if args.scale_order else SOURCES,
    )


def _marker_from(args: argparse.Namespace) -> MarkerKind | None:
    if args.marker_size is None:
        if args.marker_dictionary is not None:
            raise ValueError('--marker-dictionary is of use only with --marker-size')
        return None
    need('--marker-size', 'cv2', 'PIL', 'tifffile')
    from .markers import DICTIONARY, MarkerKind

    size, std = args.marker_size
    return MarkerKind(size, std or 0.0, (args.marker_dictionary or DICTIONARY).upper())


def photo_of(record: Mapping[str, Any]) -> PhotoOfRun:
    """What a record says; where it is an older one, the photo's header is read."""
    camera = record.get('camera')
    facts = camera_of(record['source']) if camera is None else CameraFacts(**camera)
    return PhotoOfRun(record['source'], (record['height'], record['width']), facts)


def camera_of(path: str | Path) -> CameraFacts:
    """What a photo's header says about its camera."""
    need('Reading the data of cameras', 'cv2', 'PIL', 'tifffile')
    from csbsr_mm.photos.reader import read_camera

    return read_camera(path)
