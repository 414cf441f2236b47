"""Read a config the way all command-line tools do."""

from __future__ import annotations

import difflib
import inspect
import logging
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from csbsr_mm.config_library import find_config
from csbsr_mm.weights import list_weights

from .checkpoint import CheckpointError, check_file

# Top-level entries that mean something although a config need not have them.
OPTIONAL_ENTRIES = {
    *inspect.signature(Runner).parameters,
    'allow_changed',
    'compile',
    'data_root',
    'find_unused_parameters',
    'global_batch_size',
    'model_wrapper_cfg',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
}


def load_config(path: str, options: dict | None = None, work_dir: str | None = None) -> Config:
    """Read a config file, apply ``--cfg-options`` and choose the working directory.

    Args:
        path: Config file, or the name of a config of csbsr_mm, as ``find_config`` takes it.
        options: Overrides, as ``DictAction`` parses them.
        work_dir: Where logs and checkpoints go; by default the config's ``work_dir``, or
            ``work_dirs/NAME-OF-CONFIG``.

    Returns:
        The config. Options ``data_root`` and ``global_batch_size`` reach the data loaders.

    Raises:
        FileNotFoundError: There is no such file and no such name.
        ValueError: Several configs have that name, or an override names an unknown key, which MMEngine would
            accept silently.
    """
    source = find_config(path)
    cfg = Config.fromfile(source)
    data_root = cfg.get('data_root')
    if options:
        _check_names(cfg, options)
        cfg.merge_from_dict(options)
        apply_data_root(cfg, data_root)
        if 'global_batch_size' in options and 'train_dataloader.batch_size' not in options:
            cfg.train_dataloader.batch_size = cfg.global_batch_size
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / source.stem)
    return cfg


def apply_data_root(cfg: Config, original: str | None = None) -> None:
    """Let ``--cfg-options data_root=...`` reach every data loader of a config.

    A config file writes ``data_root=data_root`` into each data set while it is read; a value that
    comes later, from the command line, changes only the top-level variable. This carries it on:
    each ``data_root`` inside the config that still has the file's value gets the new one. A data
    set with a root of its own keeps it.

    Args:
        cfg: The config after the command line's options were merged; changed in place.
        original: The root that the config file had; read from the file if None.

    Example:
        >>> cfg = Config(dict(data_root='new', train_dataloader=dict(dataset=dict(data_root='old'))))
        >>> apply_data_root(cfg, original='old')
        >>> cfg.train_dataloader.dataset.data_root
        'new'
    """
    root = cfg.get('data_root')
    if original is None:
        original = Config.fromfile(cfg.filename).get('data_root') if cfg.filename else root
    if root is not None and root != original:
        _replace(cfg._cfg_dict, original, root)


def _replace(node: object, original: str | None, root: str) -> None:
    """Replace every value ``original`` under a key ``data_root`` below a config's node."""
    if isinstance(node, dict):
        if node.get('data_root') == original and original is not None:
            node['data_root'] = root
        for child in node.values():
            _replace(child, original, root)
    elif isinstance(node, (list, tuple)):
        for child in node:
            _replace(child, original, root)


def _check_names(cfg: Config, options: dict) -> None:
    """Refuse an override of an entry that the config lacks, where it has one of nearly that name."""
    known = OPTIONAL_ENTRIES | set(cfg)
    for option in options:
        entry = option.split('.')[0]
        similar = difflib.get_close_matches(entry, known, n=1, cutoff=0.7)
        if entry not in known and similar:
            raise ValueError(f'--cfg-options {option}: the config has no {entry}; did you mean {similar[0]}?')


def set_resume(cfg: Config, resume: str | None) -> None:
    """Set where training starts: from the beginning, from the newest checkpoint, or from a given one.

    MMEngine resumes from ``load_from`` whenever that is set. Configs that start from a pretrained SR network
    set it, so ``--resume`` would begin again there; here it means the work directory's own checkpoint.
    ``load_from`` may be the name of weights on board.

    Args:
        cfg: Config, changed in place.
        resume: None, 'auto' (newest checkpoint of ``work_dir``; afresh if there is none), or a file.

    Raises:
        FileNotFoundError: The file, or the config's ``load_from``, does not exist.
    """
    cfg.resume = resume is not None
    if resume is None:
        _find_load_from(cfg)
        return
    checkpoint = intact_checkpoint(cfg.work_dir) if resume == 'auto' else Path(resume)
    if checkpoint is None:
        cfg.resume = False
        print_log(f'{cfg.work_dir} holds no checkpoint to resume, starting afresh', logger='current')
        _find_load_from(cfg)
    elif not checkpoint.is_file():
        raise FileNotFoundError(f'checkpoint {checkpoint} to resume from does not exist')
    else:
        cfg.load_from = str(checkpoint)


def newest_checkpoint(work_dir: str) -> Path | None:
    """The checkpoint that the work directory's ``last_checkpoint`` names, also after a move.

    Args:
        work_dir: Working directory of a run.

    Returns:
        Its path, or None if nothing has been saved.
    """
    note = Path(work_dir) / 'last_checkpoint'
    if not note.is_file():
        return None
    named = Path(note.read_text(encoding='utf-8').strip())
    moved = Path(work_dir) / named.name
    return named if named.is_file() or not moved.is_file() else moved


def intact_checkpoint(work_dir: str) -> Path | None:
    """The newest checkpoint of a work directory that is whole; says so if it is not the last one.

    Args:
        work_dir: Working directory of a run.

    Returns:
        Its path, or None if nothing has been saved.

    Raises:
        CheckpointError: There are checkpoints, and all of them are damaged.
    """
    newest = newest_checkpoint(work_dir)
    if newest is None:
        return None
    others = sorted(newest.parent.glob('iter_*.pth'), key=lambda path: path.stat().st_mtime, reverse=True)
    damage = []
    for path in [newest, *(path for path in others if path != newest)]:
        try:
            check_file(path)
        except (CheckpointError, FileNotFoundError) as error:
            damage.append(str(error))
            continue
        if damage:
            print_log(f'{damage[0]}; going on from {path}', logger='current', level=logging.WARNING)
        return path
    raise CheckpointError(f'{damage[0]}; {newest.parent} holds no other checkpoint')


def _find_load_from(cfg: Config) -> None:
    """Replace the name of weights on board by their file; refuse a file that is not there."""
    path = cfg.get('load_from')
    if not path or '://' in path or Path(path).is_file():
        return
    on_board = list_weights()
    if path not in on_board:
        raise FileNotFoundError(
            f'load_from={path} does not exist; train the step before, give another checkpoint or weights on '
            f'board ({", ".join(on_board)}) with --cfg-options load_from=FILE, or start from random weights '
            f'with load_from=None'
        )
    cfg.load_from = str(on_board[path].path)
