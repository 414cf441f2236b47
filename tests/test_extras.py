"""A missing optional package is one ImportError that names the extra."""

from pathlib import Path

import pytest

from csbsr_mm import _extras

ROOT = Path(__file__).parents[1]


def requirements(extra: str) -> str:
    tomllib = pytest.importorskip('tomllib')  # Python 3.11
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())
    files = project['tool']['setuptools']['dynamic']['optional-dependencies'][extra]['file']
    return ' '.join((ROOT / file).read_text().lower() for file in files)


@pytest.mark.parametrize('module', _extras.PACKAGES)
def test_extra_brings_what_it_is_named_for(module):
    name, extra = _extras.PACKAGES[module]
    assert (name if module != 'cv2' else 'opencv-python-headless').lower() in requirements(extra)


def test_all_is_every_extra_of_the_maintained_stack():
    everything = requirements('all')
    for extra in ('mm', 'inspection', 'train', 'onnx'):
        assert requirements(extra) in everything


def test_base_is_no_framework():
    base = (ROOT / 'requirements/base.txt').read_text()
    names = {line.split('>')[0] for line in base.splitlines() if not line.startswith('#')}
    assert names == {'torch', 'numpy', 'scipy', 'numba'}


def test_missing_packages_are_named_with_their_extras(monkeypatch):
    absent = {'skimage', 'mmseg'}
    monkeypatch.setattr(
        _extras.importlib.util, 'find_spec', lambda name: None if name in absent else object()
    )
    with pytest.raises(
        ImportError, match=r'needs MMSegmentation, scikit-image, which are .*\[mm,inspection\]'
    ):
        _extras.need('This', 'mmseg', 'cv2', 'skimage')
    _extras.need('This', 'cv2')


def test_citation_says_the_version():
    import csbsr_mm

    assert f'\nversion: {csbsr_mm.__version__}\n' in (ROOT / 'CITATION.cff').read_text()
