"""SVG: centre lines as wide as the cracks are, over a link to the photo; one file for each photo."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

from .data import CrackData, PhotoShapes
from .files import write_text


def write(data: CrackData, target: Path) -> int:
    """Write the files into a folder; returns the number of cracks."""
    count = 0
    for photo in data.photos():
        count += len(photo.cracks)
        write_text(target / f'{photo.name}.svg', _drawing(photo))
    return count


def _drawing(photo: PhotoShapes) -> str:
    width, height = photo.width, photo.height
    link = quoteattr(photo.source.resolve().as_uri())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f'<image href={link} width="{width}" height="{height}"/>',
        '<g fill="none" stroke="#e61e1e" stroke-linecap="round" stroke-linejoin="round">',
    ]
    for crack in photo.cracks:
        title = f'{crack.number}: widest {crack.measures["max_width"]:.2f} px'
        lines.append(f'<g stroke-width="{crack.measures["mean_width"]:.2f}"><title>{title}</title>')
        for line in crack.lines:
            points = ' '.join(f'{x:.2f},{y:.2f}' for x, y, _ in line)
            lines.append(f'<polyline points="{points}"/>')
        lines.append('</g>')
    return '\n'.join([*lines, '</g>', '</svg>', ''])
