"""A page to look through: figures, curves over thresholds, and images to sort, each with its errors."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.metrics import Accumulator, ThresholdCurve

from .files import Pair, read_mask, read_prediction
from .report import shown

COLOURS = ('#0b6e99', '#c1440e', '#2e7d32', '#6a1b9a', '#795548', '#455a64')
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em }
table { border-collapse: collapse } th, td { padding: .2em .6em; border-bottom: 1px solid #ddd }
td { text-align: right; font-variant-numeric: tabular-nums }
td:first-child, th:first-child { text-align: left }
th button { font: inherit; font-weight: bold; border: 0; background: none; cursor: pointer; padding: 0 }
figure { display: inline-block; margin: .5em 1em .5em 0 } figcaption { font-size: .9em }
svg { width: 19em; height: 12em; background: #fafafa } .wide { overflow-x: auto }
img { max-width: 100%; image-rendering: pixelated } .key span { padding: 0 .4em; color: #fff }
"""
SCRIPT = """
document.querySelectorAll('table.sortable').forEach(table => {
  table.querySelectorAll('th').forEach((head, column) => head.querySelector('button').onclick = () => {
    const down = head.ariaSort !== 'descending';
    table.querySelectorAll('th').forEach(other => other.ariaSort = null);
    head.ariaSort = down ? 'descending' : 'ascending';
    const key = row => { const v = row.cells[column].textContent; return isNaN(v) ? v : Number(v) };
    const order = (a, b) => { const x = key(a), y = key(b); return (x > y) - (x < y) };
    [...table.tBodies[0].rows].sort((a, b) => down ? order(b, a) : order(a, b))
      .forEach(row => table.tBodies[0].append(row));
  });
});
"""


def write_page(
    path: Path,
    title: str,
    models: Mapping[str, Accumulator],
    text: str,
    notes: Sequence[str],
    panels: Mapping[str, str],
) -> None:
    """Write the page; it needs no network.

    Args:
        path: File to write.
        title: Its heading.
        models: Filled accumulators by model.
        text: Table of the figures, as in the terminal.
        notes: Sentences on how thresholds were chosen and what was measured.
        panels: Picture of an image by its name, relative to the page.
    """
    body = [
        f'<h1>{html.escape(title)}</h1>',
        *(f'<p>{html.escape(note)}</p>' for note in notes),
        f'<h2>Figures</h2><div class=wide><pre>{html.escape(text)}</pre></div>',
        '<h2>Over thresholds</h2>',
        *_curves(models),
        '<h2>Images</h2>',
        '<p>Click a heading to sort: the worst images first, or the largest differences between models.</p>',
        _images(models, panels),
    ]
    page = (
        f'<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f'<title>{html.escape(title)}</title><style>{STYLE}</style>{"".join(body)}<script>{SCRIPT}</script></html>'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding='utf-8')


def write_panel(
    path: Path, pairs: Sequence[Pair], threshold: float, ignore_value: int | None, photo: Path | None
) -> None:
    """Draw one image: photo, truth, then prediction and errors of each model.

    Errors are green where a crack is found, red where it is missed, blue where there is none.

    Args:
        path: PNG to write.
        pairs: The image's files, one pair a model.
        threshold: Probability above which the prediction is a crack.
        ignore_value: As of :func:`.read_mask`.
        photo: The photo, or None.
    """
    from PIL import Image

    mask, ignore = read_mask(pairs[0].mask, ignore_value)
    parts = [] if photo is None else [_photo(photo, mask.shape)]
    parts.append(_grey(mask.astype(np.float32)))
    for pair in pairs:
        prob = read_prediction(pair.prediction)
        parts += [_grey(prob), _errors(prob > np.float32(threshold), mask, ignore)]
    gap = np.full((mask.shape[0], 4, 3), 255, np.uint8)
    strip = [piece for part in parts for piece in (part, gap)][:-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(strip, 1)).save(path)


def _photo(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert('RGB').resize((shape[1], shape[0])))


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.repeat(np.rint(255 * values).astype(np.uint8)[..., None], 3, 2)


def _errors(
    predicted: NDArray[np.bool_], mask: NDArray[np.bool_], ignore: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    colours = np.full((*mask.shape, 3), 245, np.uint8)
    colours[predicted & mask] = (46, 160, 67)
    colours[~predicted & mask] = (207, 34, 46)
    colours[predicted & ~mask] = (9, 105, 218)
    if ignore is not None:
        colours[ignore] = (190, 190, 190)
    return colours


def _curves(models: Mapping[str, Accumulator]) -> list[str]:
    """One small drawing a quantity, with all models."""
    of_model = {name: {curve.name: curve for curve in metrics.curves()} for name, metrics in models.items()}
    key = ''.join(
        f'<span style="background:{COLOURS[n % len(COLOURS)]}">{html.escape(name)}</span>'
        for n, name in enumerate(models)
    )
    figures = [f'<p class=key>{key}</p>']
    for quantity in next(iter(of_model.values())):
        curves = [found[quantity] for found in of_model.values()]
        thresholds = next(iter(models.values())).thresholds
        figures.append(f'<figure>{_drawing(curves, thresholds)}<figcaption>{quantity}</figcaption></figure>')
    return figures


def _drawing(curves: Sequence[ThresholdCurve], thresholds: NDArray[np.float32]) -> str:
    order = np.argsort(thresholds)
    values = [curve.values[: len(thresholds)][order] for curve in curves]
    finite = np.concatenate([v[np.isfinite(v)] for v in values])
    low, high = (min(0.0, finite.min()), finite.max()) if len(finite) else (0.0, 1.0)
    scale = (high - low) or 1.0
    lines = [f'<text x=4 y=12 font-size=9>{high:.4g}</text><text x=4 y=116 font-size=9>{low:.4g}</text>']
    for n, line in enumerate(values):
        points = ' '.join(
            f'{200 * t:.1f},{110 - 100 * (v - low) / scale:.1f}'
            for t, v in zip(thresholds[order], line, strict=True)
            if np.isfinite(v)
        )
        colour = COLOURS[n % len(COLOURS)]
        lines.append(f'<polyline points="{points}" fill=none stroke="{colour}" stroke-width=1.5 />')
    return f'<svg viewBox="0 0 200 120" role=img>{"".join(lines)}</svg>'


def _images(models: Mapping[str, Accumulator], panels: Mapping[str, str]) -> str:
    """Table of all images: the values of each model, and differences of the first model from the others."""
    rows = {name: metrics.per_image() for name, metrics in models.items()}
    first, *others = models
    columns: list[tuple[str, list[Any]]] = [('image', list(models[first].names))]
    for quantity in rows[first][0]:
        for model in models:
            label = quantity if not others else f'{quantity} {model}'
            columns.append((label, [row[quantity] for row in rows[model]]))
        for other in others:
            change = [a[quantity] - b[quantity] for a, b in zip(rows[first], rows[other], strict=True)]
            columns.append((f'{quantity} {first} - {other}', change))
    heads = ''.join(f'<th><button>{html.escape(label)}</button></th>' for label, _ in columns)
    lines = []
    for cells in zip(*(values for _, values in columns), strict=True):
        name = html.escape(cells[0])
        if cells[0] in panels:
            name = f'<a href="{html.escape(panels[cells[0]])}">{name}</a>'
        lines.append(f'<tr><td>{name}</td>{"".join(f"<td>{shown(value)}</td>" for value in cells[1:])}</tr>')
    table = f'<table class=sortable><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return f'<div class=wide>{table}</div>'


def worst_first(metrics: Accumulator) -> list[int]:
    """Images in the order of their first value, the worst first; those without a value last."""
    rows = metrics.per_image()
    curve = next((curve for curve in metrics.curves() if curve.best), None)
    if curve is None:
        return list(range(len(rows)))
    values = np.array([row[f'{curve.name}_{curve.best}'] for row in rows])
    return np.argsort(values if curve.best == 'max' else -values, kind='stable').tolist()
