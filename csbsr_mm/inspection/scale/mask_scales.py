"""The scales of masks, by the photos that they belong to."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from csbsr_mm.photos.camera import CameraFacts
from csbsr_mm.photos.formats import is_photo_file
from csbsr_mm.photos.input_files import SourcePhoto, find_photos

from .scales import PhotoScale
from .sources import PhotoOfRun, ScaleSources, camera_of, sources_from


class MaskScales:
    """Finds the scale of each mask.

    A mask belongs to the photo of its name, whatever the extensions. Without photos there are tables and the
    one number.

    Args:
        args: As :func:`csbsr_mm.cli.arguments.add_scales` reads them, and ``photos``, the photos or None.

    Attributes:
        known: Whether masks have a scale: an option tells it, or ``--scale-order`` asks for the photos' data.

    Raises:
        ValueError: An option needs the photos, or is out of range.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.sources = sources_from(args)
        self.known = self.sources.asked or args.scale_order is not None
        self.photos = (
            {} if args.photos is None else {photo.path.stem: photo for photo in find_photos([args.photos])}
        )
        if args.photos is None:
            for name in ('marker_size', 'wall_distance', 'sensor_width'):
                if getattr(args, name) is not None:
                    raise ValueError(
                        f'--{name.replace("_", "-")} needs the photos of the masks; give --photos'
                    )
            self.sources = ScaleSources(
                _by_stem(self.sources), number=self.sources.number, order=('table', 'number')
            )

    def of(self, mask: SourcePhoto, size: Sequence[int]) -> PhotoScale | None:
        """The scale of a mask's photo, which has that height and width; None where no mask has one.

        Raises:
            ValueError: The mask has no photo, or the photo no scale.
        """
        if not self.known:
            return None
        path, camera = str(mask.path), CameraFacts()
        if self.photos:
            if mask.path.stem not in self.photos:
                raise ValueError(f'{mask.path} has no photo: none of --photos is called {mask.path.stem}')
            path = str(self.photos[mask.path.stem].path)
            camera = camera_of(path)
        try:
            scale = self.sources.of(PhotoOfRun(path, (size[0], size[1]), camera))
        except ValueError as error:
            raise ValueError(f'no scale for {mask.path}: {error}') from error
        return scale or PhotoScale(self.sources.number or 1.0)


def _by_stem(sources: ScaleSources) -> dict[str, PhotoScale]:
    """A table in which masks are found by the names of their photos without extension."""
    stems = {
        name: Path(name).with_suffix('') if is_photo_file(Path(name)) else name
        for name in sources.table.scales
    }
    return {str(stems[name]): scale for name, scale in sources.table.scales.items()}
