"""The weights in the package: small, described, and better than the baselines on photos they never saw."""

import json

import cv2
import numpy as np
import pytest

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.datasets.crack_renderer import render_crack_photo
from csbsr_mm.evaluation.baselines import frangi_cracks, otsu_cracks
from csbsr_mm.functional.degradation import anisotropic_gaussian_kernel, degrade
from csbsr_mm.functional.overlap import iou_sweep
from csbsr_mm.weights import list_weights

LARGEST = 10_000_000


@pytest.fixture(scope='module')
def photos():
    """Blurred and reduced photos, 48x48, and the masks of the photos that they come from."""
    pairs = []
    for seed in range(100, 106):
        rng = np.random.default_rng(seed)
        photo, mask = render_crack_photo(rng, 216, cracked=True)
        kernel = anisotropic_gaussian_kernel(*rng.uniform(0.6, 2.5, 2), rng.uniform(0, 3))
        lr = degrade(photo[..., ::-1].transpose(2, 0, 1).astype(np.float32), kernel)[:, 3:-3, 3:-3]
        lr = np.rint(lr).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
        pairs.append((np.ascontiguousarray(lr), mask[12:-12, 12:-12] > 0))
    return pairs


@pytest.mark.parametrize('name', list_weights())
def test_small_and_described(name):
    file = list_weights()[name]
    assert file.path.stat().st_size <= LARGEST
    assert {'summary', 'licence', 'data', 'figures'} <= set(file.card)
    lineage = json.loads(file.metadata['lineage'])
    assert lineage['config']
    assert lineage['iterations'] > 0
    assert '/work' not in json.dumps(file.metadata)
    file.read()  # checks the checksum


def test_finds_more_than_the_baselines(photos):
    infer = CrackInferencer()
    found = {'model': [], 'otsu': [], 'frangi': []}
    for lr, target in photos:
        enlarged = cv2.resize(lr, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC) / np.float32(255)
        maps = dict(model=infer(lr).probability, otsu=otsu_cracks(enlarged), frangi=frangi_cracks(enlarged))
        for name, probability in maps.items():
            found[name].append(iou_sweep(probability, target).max())
    means = {name: np.mean(values) for name, values in found.items()}
    assert means['model'] > max(means['otsu'], means['frangi'])


def test_kernels_differ_as_the_blur_does():
    """A photo that is blurred more has a larger kernel."""
    photo, _ = render_crack_photo(np.random.default_rng(3), 216, cracked=True)
    planes = photo[..., ::-1].transpose(2, 0, 1).astype(np.float32)
    infer = CrackInferencer()
    sizes = []
    for sigma in (1.0, 2.0, 3.5):
        lr = degrade(planes, anisotropic_gaussian_kernel(sigma, sigma, 0.0))[:, 3:-3, 3:-3]
        kernel = infer(np.rint(lr).clip(0, 255).astype(np.uint8).transpose(1, 2, 0).copy()).blur_kernel
        rows, columns = np.indices(kernel.shape) - 10
        sizes.append(float(np.sqrt((kernel * (rows**2 + columns**2)).sum() / 2)))
    assert sizes[0] + 0.4 < sizes[1] < sizes[2] - 0.4
