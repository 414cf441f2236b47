"""Masks that were measured without a report, as data for exports; needs the base installation alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from csbsr_mm.inspection.measurement.cracks import PhotoMeasures
from csbsr_mm.inspection.scale.millimetres import in_millimetres
from csbsr_mm.inspection.scale.scales import PhotoScale
from csbsr_mm.photos.mask_files import read_mask

from .crack_lines import shapes_of_mask
from .data import CrackData, PhotoShapes


@dataclass(frozen=True)
class MeasuredMask:
    """A mask and what was measured in it.

    Attributes:
        name: Name of its results.
        path: Its file.
        measures: Its cracks, in pixels of the photo.
        photo_scale: Size of those pixels on the wall, if it is known.
    """

    name: str
    path: Path
    measures: PhotoMeasures
    photo_scale: PhotoScale | None = None


def mask_data(
    masks: Sequence[MeasuredMask],
    scale: int = 1,
    photos: Mapping[str, Path] | None = None,
) -> CrackData:
    """The cracks of masks.

    Args:
        masks: The masks; their files are read again when shapes are asked for.
        scale: Mask pixels per pixel of the photo.
        photos: Photos by their names without the suffix, which exports then link to instead of the masks.

    Returns:
        Data for :func:`.exports.write_export`.

    Raises:
        ValueError: Photos are given, and there is none for a mask.
    """
    sources = {mask.name: _source(mask.path, photos) for mask in masks}

    def shapes() -> Iterator[PhotoShapes]:
        for mask in masks:
            image = read_mask(mask.path)
            cracks = [asdict(crack) for crack in mask.measures.cracks]
            yield PhotoShapes(
                name=mask.name,
                source=sources[mask.name],
                width=-(-image.shape[1] // scale),
                height=-(-image.shape[0] // scale),
                cracks=list(shapes_of_mask(image, scale, cracks)),
                mm_per_pixel=None if mask.photo_scale is None else mask.photo_scale.mm_per_pixel,
                plane=None if mask.photo_scale is None else mask.photo_scale.plane,
                in_mm=_in_mm(mask),
            )

    def tables() -> dict[str, list[dict[str, object]]]:
        listed = [photo.facts(crack) for photo in shapes() for crack in photo.cracks]
        totals: list[dict[str, object]] = [
            {'photo': sources[mask.name].name, 'cracks': len(mask.measures.cracks)} for mask in masks
        ]
        return {'Photos': totals, 'Cracks': listed}

    return CrackData(shapes, tables)


def _source(mask: Path, photos: Mapping[str, Path] | None) -> Path:
    if photos is None:
        return mask
    if mask.stem not in photos:
        raise ValueError(f'there is no photo for {mask}: photos have the names of their masks')
    return photos[mask.stem]


def _in_mm(mask: MeasuredMask) -> list[dict] | None:
    if mask.photo_scale is None:
        return None
    return [in_millimetres(asdict(crack), mask.photo_scale) for crack in mask.measures.cracks]
