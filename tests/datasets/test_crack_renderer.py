"""Rendered cracks: masks that are exact, photos that depend on the generator alone."""

import cv2
import numpy as np
import pytest

from csbsr_mm.datasets.crack_renderer import render_crack_photo
from csbsr_mm.datasets.crack_renderer.cracks import Crack, coverage, draw_cracks, rough_path
from csbsr_mm.datasets.crack_renderer.noise import fractal_noise, grain, smooth_noise, smoothstep
from csbsr_mm.datasets.crack_renderer.surfaces import MATERIALS, Courses
from csbsr_mm.datasets.preparation.demo_cracks import write_crack_demo


def generator(*key):
    return np.random.default_rng(key)


def test_noise_has_unit_variance_and_the_asked_scale():
    for cell in (6.0, 30.0):
        fields = [smooth_noise(generator(i), 256, cell) for i in range(8)]
        assert 0.8 < np.std(fields) < 1.2
        step = np.mean([np.abs(np.diff(field)).mean() for field in fields])
        assert 0.5 / cell < step < 2.5 / cell
    assert 0.8 < fractal_noise(generator(1), 512, 16).std() < 1.2
    assert abs(grain(generator(2), 256, 1.5).std() - 1) < 0.01
    assert smoothstep(np.array([-1.0, 0.5, 2.0]), 0, 1).tolist() == [0, 0.5, 1]


def test_paths_join_their_ends():
    path = rough_path(generator(0), np.array([3.0, 4.0]), np.array([200.0, 90.0]), 0.1)
    assert path[0].tolist() == [3, 4]
    assert path[-1].tolist() == [200, 90]
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.mean() < 5


def test_coverage_is_width_times_length(monkeypatch):
    """Without ragged edges a ribbon covers exactly its area."""
    monkeypatch.setattr(
        'csbsr_mm.datasets.crack_renderer.cracks.walk', lambda rng, count, period: np.zeros(count)
    )
    points = np.stack([np.linspace(-20, 140, 80), np.linspace(30, 90, 80)], axis=1)
    for width in (1.5, 4.0, 9.0):
        share = coverage(generator(0), [Crack(points, np.full(80, width))], 128, oversampling=8)
        # OpenCV also fills the samples that the outline touches: one in width, an eighth of a pixel.
        expected = (width + 1 / 8) * np.hypot(128, 128 * 60 / 160)
        assert share.sum() == pytest.approx(expected, rel=0.04)
        assert share.max() <= 1


def test_wall_coordinates_and_joints():
    courses = Courses(width=100.0, height=40.0, angle=0.2, origin=(1000.0, 800.0))
    x, y = generator(0).uniform(0, 500, (2, 50))
    assert np.allclose(courses.to_image(*courses.to_wall(x, y)), (x, y))
    for course in (20, 21):
        joint = courses.upright_joint(1234.0, course)
        along, _ = courses.bricks(np.array(joint), np.array((course + 0.5) * 40.0))
        assert along == pytest.approx(round(float(along)))
        assert abs(joint - 1234.0) <= 50


@pytest.mark.parametrize('material', list(MATERIALS), ids=lambda maker: maker.__name__)
def test_every_material_cracks(material):
    for seed in range(3):
        surface = material(generator(seed), 128)
        assert surface.albedo.shape == (128, 128, 3)
        assert np.isfinite(surface.albedo).all()
        assert 0.1 < surface.albedo.mean() < 1.1
        assert surface.albedo.std() > 0.01
        cracks = draw_cracks(generator(seed), surface, 16.0)
        assert cracks
        assert all(1 < crack.width.max() <= 16 for crack in cracks)


def test_photo_depends_on_the_generator_alone():
    first, mask = render_crack_photo(generator(5, 1), size=64)
    again, same_mask = render_crack_photo(generator(5, 1), size=64)
    other, _ = render_crack_photo(generator(5, 2), size=64)
    assert np.array_equal(first, again)
    assert np.array_equal(mask, same_mask)
    assert not np.array_equal(first, other)


def test_cracks_are_where_the_mask_says():
    """Crack pixels are darker than their surroundings; photos differ; some have no crack."""
    darker, empty, shares = [], 0, []
    for seed in range(40):
        photo, mask = render_crack_photo(generator(9, seed), size=96)
        crack = mask > 0
        assert set(np.unique(mask)) <= {0, 255}
        assert photo.std() > 3
        shares.append(crack.mean())
        if crack.sum() < 20:
            empty += crack.sum() == 0
            continue
        grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
        ring = cv2.dilate(mask, np.ones((9, 9))).astype(bool) & ~cv2.dilate(mask, np.ones((5, 5))).astype(
            bool
        )
        darker.append(grey[ring].mean() - grey[crack].mean())
    assert np.mean(np.array(darker) > 5) > 0.85
    assert np.median(darker) > 20
    assert 1 <= empty <= 14
    assert 0.003 < np.mean(shares) < 0.08
    assert render_crack_photo(generator(0), size=64, cracked=False)[1].max() == 0


def test_data_set_is_reproducible_and_safe_to_render_again(tmp_path):
    settings = dict(train=3, test=2, size=64, seed=4)
    assert write_crack_demo(tmp_path / 'a', workers=1, **settings) == 5
    assert write_crack_demo(tmp_path / 'b', workers=2, **settings) == 5
    files = sorted(path.relative_to(tmp_path / 'a') for path in (tmp_path / 'a').rglob('*.jpg'))
    assert len(files) == 10
    assert all((tmp_path / 'a' / f).read_bytes() == (tmp_path / 'b' / f).read_bytes() for f in files)

    assert write_crack_demo(tmp_path / 'a', **settings) == 0
    (tmp_path / 'a' / files[0]).unlink()
    assert write_crack_demo(tmp_path / 'a', workers=1, **settings) == 1
    assert (tmp_path / 'a' / files[0]).read_bytes() == (tmp_path / 'b' / files[0]).read_bytes()

    assert write_crack_demo(tmp_path / 'a', workers=1, **settings | dict(seed=5)) == 5
    with pytest.raises(FileExistsError, match='holds 4 photos that this data set does not have'):
        write_crack_demo(tmp_path / 'a', train=1, test=2, size=64)


def test_stored_masks_are_exact(tmp_path):
    write_crack_demo(tmp_path, train=4, test=0, size=64, workers=1)
    for number in range(4):
        _, mask = render_crack_photo(np.random.default_rng([0, 0, number]), 64)
        stored = cv2.imread(str(tmp_path / f'train/masks/demo_{number:04d}.jpg'), cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(stored > 127, mask > 0)


def test_zoom_widens_and_faintness_lightens_cracks():
    areas, contrasts = [], []
    for zoom, faintness in ((1.0, 0.0), (3.0, 0.0), (1.0, 0.7)):
        rendered = [
            render_crack_photo(
                np.random.default_rng([3, n]), 96, cracked=True, zoom=zoom, faintness=faintness
            )
            for n in range(8)
        ]
        areas.append(np.mean([(mask > 0).mean() for _, mask in rendered]))
        contrasts.append(
            np.mean([photo[mask == 0].mean() - photo[mask > 0].mean() for photo, mask in rendered])
        )
    assert areas[1] > 1.8 * areas[0]
    assert contrasts[2] < 0.7 * contrasts[0]
