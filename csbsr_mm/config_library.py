"""The configs that come with the package: where they lie, what they are called, what each is for.

Needs the standard library alone, so that the build and ``csbsr configs`` can use it.
"""

from __future__ import annotations

import ast
import difflib
import os
from pathlib import Path

PREFIX = 'csbsr_mm::'
PAPER = 'Joint Learning of Blind Super-Resolution and Crack Segmentation for Realistic Degraded Images'
_PACKAGE = Path(__file__).parent


def config_root() -> Path:
    """Folder of the configs: inside an installed package, ``configs/`` of a clone.

    Raises:
        FileNotFoundError: The installation holds no configs.
    """
    for root in (_PACKAGE / '.mim' / 'configs', _PACKAGE.parent / 'configs'):
        if (root / 'csbsr').is_dir():
            return root
    raise FileNotFoundError(f'{_PACKAGE} was installed without its configs; install csbsr_mm again')


def list_configs() -> dict[str, Path]:
    """All configs that can be run, by name.

    Returns:
        Path of each file by its own path below its family's folder, without suffix:
        ``'kbpn_pspnet_khanhha'`` is ``configs/csbsr/kbpn_pspnet_khanhha.py``, ``'mini/kbpn_unet'`` is
        ``configs/csbsr/mini/kbpn_unet.py``. Fragments that others inherit (``_base_``) are left out.
    """
    root = config_root()
    families = sorted(folder for folder in root.iterdir() if folder.is_dir() and folder.name != '_base_')
    return {
        path.relative_to(family).with_suffix('').as_posix(): path
        for family in families
        for path in sorted(family.rglob('*.py'))
        if not path.name.startswith('_')
    }


def find_config(name: str | os.PathLike) -> Path:
    """The config file that a user means.

    Args:
        name: A path, which comes first; a name of :func:`list_configs`, or its last part if only one
            config has it; a path below ``configs/``; or any of these after ``csbsr_mm::``. The suffix may
            be left out.

    Returns:
        Path of the file.

    Raises:
        FileNotFoundError: There is no such file and no such name; similar names are suggested.
        ValueError: Several configs have that name.
    """
    text = os.fspath(name)
    if not text.startswith(PREFIX) and Path(text).is_file():
        return Path(text)
    wanted = text.removeprefix(PREFIX).replace('\\', '/').removesuffix('.py').removeprefix('./')
    wanted = wanted.removeprefix('configs/')
    root = config_root()
    if wanted and (exact := root / f'{wanted}.py').is_file():
        return exact
    configs = list_configs()
    if wanted in configs:
        return configs[wanted]
    found = [short for short in configs if wanted and short.endswith(f'/{wanted}')]
    if len(found) == 1:
        return configs[found[0]]
    if found:
        raise ValueError(f'config {text} may be any of {", ".join(found)}')
    close = difflib.get_close_matches(wanted, configs, n=3, cutoff=0.6)
    hint = f'did you mean {" or ".join(close)}?' if close else '`csbsr configs` lists those of csbsr_mm'
    raise FileNotFoundError(f'config {text} does not exist (looked from {os.getcwd()}); {hint}')


def describe_config(path: Path) -> str:
    """What a config is for: the first line of its docstring, or nothing."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or ''
    return text.partition('\n')[0]


def model_index() -> dict[str, str]:
    """Texts of ``model-index.yml`` and of the metafile that it imports, as mim and MMEngine read them.

    Returns:
        Text by file name, relative to the folder that holds ``configs/``.
    """
    root = config_root()
    lines = [
        'Collections:',
        '- Name: CSBSR',
        '  Paper:',
        f'    Title: {PAPER}',
        '    URL: https://arxiv.org/abs/2302.12491',
        'Models:',
    ]
    for name, path in list_configs().items():
        lines += [
            f'- Name: {name}',
            '  In Collection: CSBSR',
            f'  Config: configs/{path.relative_to(root).as_posix()}',
        ]
    metafile = 'configs/csbsr/metafile.yml'
    return {
        'model-index.yml': f'Import:\n- {metafile}\n',
        metafile: '\n'.join([*lines, '']),
    }
