"""Packaging of csbsr_mm. The MMSegmentation stack is an extra: requiring it would overwrite a user's own."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """Lines of ``requirements/NAME.txt`` without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in (raw.split('#')[0].strip() for raw in lines) if line]


version: dict[str, str] = {}
exec((ROOT / 'csbsr_mm' / 'version.py').read_text(), version)

setup(
    name='csbsr_mm',
    version=version['__version__'],
    description='Joint blind super-resolution and crack segmentation (CSBSR) in MMSegmentation',
    long_description=(ROOT / 'README.md').read_text() if (ROOT / 'README.md').exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['csbsr_mm', 'csbsr_mm.*']),
    package_data={'csbsr_mm': ['inspection/templates/*']},
    python_requires='>=3.10',
    install_requires=requirements('runtime'),
    extras_require={
        'onedl': requirements('onedl'),
        'upstream': requirements('upstream'),
        'onnx': requirements('onnx'),
        'tests': requirements('tests') + requirements('onnx'),
    },
)
