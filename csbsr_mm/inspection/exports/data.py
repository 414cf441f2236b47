"""What the writers of all formats start from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .crack_lines import CrackShape

if TYPE_CHECKING:
    # It needs OpenCV, which the base installation lacks.
    from csbsr_mm.inspection.places.georeference import Georeference
    from csbsr_mm.inspection.scale.wall_plane import WallPlane

Table = Sequence[Mapping[str, object]]
LENGTHS = ('length', 'mean_width', 'width_95', 'max_width')


@dataclass
class PhotoShapes:
    """The cracks of one photo.

    Attributes:
        name: Name of the photo's results.
        source: The photo.
        width: Its width in pixels.
        height: Its height in pixels.
        cracks: Its cracks.
        mm_per_pixel: Millimetres on the wall per pixel, if that is known.
        plane: The wall, where it is known how the camera looks at it.
        view: Where on the earth its pixels are, by GPS, heading and scale.
        in_mm: Lengths and areas of the cracks in millimetres, in the order of their numbers, if known.
        decisions: What a person decided about cracks, by their boxes.
    """

    name: str
    source: Path
    width: int
    height: int
    cracks: list[CrackShape]
    mm_per_pixel: float | None = None
    plane: WallPlane | None = None
    view: Georeference | None = None
    in_mm: Sequence[Mapping] | None = None
    decisions: Mapping[tuple[float, ...], Mapping] = field(default_factory=dict)

    def facts(self, crack: CrackShape) -> dict[str, object]:
        """What there is to say about a crack, as names with units and values."""
        measures = crack.measures
        facts: dict[str, object] = {
            'photo': self.source.name,
            'crack': crack.number,
            'kind': measures['kind'],
            'confidence': measures['confidence'],
            'orientation_deg': measures['orientation'],
        }
        known = {'px': measures, **({} if self.in_mm is None else {'mm': self.in_mm[crack.number - 1]})}
        for unit, values in known.items():
            facts |= {f'{name}_{unit}': round(values[name], 3) for name in LENGTHS}
            facts[f'area_{unit}2'] = round(values['area'], 3)
        decision = self.decisions.get(tuple(measures['box']), {})
        return facts | {name: decision[name] for name in ('decision', 'comment') if decision.get(name)}


@dataclass
class CrackData:
    """The cracks of a report, or of masks.

    Attributes:
        photos: Gives the photos one after the other; their shapes are traced then.
        tables: Gives the tables of the report by their names: rows of column names and values.
    """

    photos: Callable[[], Iterator[PhotoShapes]]
    tables: Callable[[], Mapping[str, Table]]
