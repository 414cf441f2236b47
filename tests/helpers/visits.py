"""Rendered visits to a wall: the same surface and cracks of known place, seen by a camera that moved."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.datasets.crack_renderer.camera import photograph, shade
from csbsr_mm.datasets.crack_renderer.cracks import Crack, coverage
from csbsr_mm.datasets.crack_renderer.surfaces import concrete
from csbsr_mm.inspection.measurement.selection import SelectionRules
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun
from csbsr_mm.inspection.report.pages import Report
from csbsr_mm.photos.input_files import find_photos
from helpers.dark_backend import DarkBackend

SIZE, FINE = 256, 2
THRESHOLD = 0.7
# A step to the side, nearer, turned, and not quite straight on.
MOVED = np.array([[1.08, -0.09, 4.0], [0.1, 1.06, -16.0], [2e-4, 1e-4, 1.0]])
STILL = np.eye(3)


def line(start, end, width, bend=0.0, part_of=1.0):
    """A crack from one point (x, y) to another, or the first part of it, in pixels of a photo straight on."""
    start, end = np.array(start, float), np.array(end, float)
    way = end - start
    part = np.linspace(0, 1, max(int(np.linalg.norm(way) / 1.5), 2))[:, None]
    aside = bend * np.sin(np.pi * 3 * part) * np.array([[-way[1], way[0]]]) / np.linalg.norm(way)
    points = start + part * way + aside
    points = points[: round(part_of * len(points))]
    return Crack(FINE * points, np.full(len(points), FINE * float(width)))


def photo(cracks, camera=STILL, wall=1, light=0, size=SIZE):
    """RGB (size, size, 3): a wall with cracks, seen by a camera, under other light and noise."""
    rng = np.random.default_rng(wall)
    surface = concrete(rng, size * FINE)
    image = surface.albedo * shade(np.random.default_rng(wall), surface.relief)[..., None]
    for number, crack in enumerate(cracks):
        opened = coverage(np.random.default_rng(number), [crack], size * FINE)[..., None]
        image = image * (1 - opened) + 0.06 * opened
    half = np.diag([FINE, FINE, 1.0])
    seen = cv2.warpPerspective(
        image.astype(np.float32),
        half @ camera @ np.linalg.inv(half),
        (size * FINE, size * FINE),
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.ascontiguousarray(photograph(np.random.default_rng(100 + light), seen, size)[..., ::-1])


def report(root, photos, scale=1, mm_per_pixel=None, threshold=THRESHOLD, **settings):
    """A finished report of photos by name, by a model that takes what is dark for a crack."""
    root = Path(root)
    (root / 'photos').mkdir(parents=True)
    for name, pixels in photos.items():
        Image.fromarray(pixels).save(root / 'photos' / f'{name}.png')
    folder = OutputFolder(root / 'report')
    inferencer = CrackInferencer(DarkBackend(scale), threshold=threshold, tile=SIZE)
    rules = SelectionRules(min_area=4, min_length=12, min_elongation=3)
    run = PredictionRun(inferencer, folder, rules=rules)
    records = list(run.run(find_photos([root / 'photos'])))
    settings = {'Threshold': threshold, **rules.described(), **settings}
    Report(folder, records, mm_per_pixel, settings=settings, title=root.name).write()
    return folder.root
