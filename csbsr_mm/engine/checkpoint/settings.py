"""Settings that decide the result of a run: kept in its checkpoints, compared when it is resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

KEY = 'settings'
ENTRIES = ('model', 'optim_wrapper', 'param_scheduler')
OF_DATA = ('dataset', 'sampler', 'collate_fn')
# Of the others, which print, save or draw, a run may have more or fewer when it goes on.
DECISIVE_HOOKS = ('TrainingStageHook', 'TaskWeightHook', 'BoundaryRebalanceHook', 'EMAHook')


class ChangedSettings(ValueError):
    """A run is resumed with other settings than it began with."""


def decisive_settings(cfg: Config, processes: int) -> dict[str, Any]:
    """What decides the result of a training, by dotted keys, as plain data.

    How the images of an update are divided among processes and accumulated batches does not count; for how
    long is trained, validated or saved does not either.

    Args:
        cfg: Config of the run, after :func:`~csbsr_mm.engine.runtime.prepare_runtime`.
        processes: Number of processes.
    """
    config = cfg.to_dict()
    loader = config.get('train_dataloader') or {}
    wrapper = dict(config.get('optim_wrapper') or {})
    batches = wrapper.pop('accumulative_counts', 1)
    hooks = [
        hook
        for hook in [*(config.get('custom_hooks') or []), *(config.get('default_hooks') or {}).values()]
        if isinstance(hook, Mapping) and hook.get('type') in DECISIVE_HOOKS
    ]
    chosen = {entry: config.get(entry) for entry in ENTRIES} | dict(
        optim_wrapper=wrapper,
        hooks=hooks,
        train_dataloader={name: loader.get(name) for name in OF_DATA},
        images_per_update=(loader.get('batch_size') or 1) * processes * batches,
        seed=(config.get('randomness') or {}).get('seed'),
        train_loop=(config.get('train_cfg') or {}).get('type'),
    )
    return _flat(json.loads(json.dumps(chosen, default=str)))


def check_settings(
    before: Mapping[str, Any], now: Mapping[str, Any], allowed: Sequence[str] = ()
) -> list[str]:
    """Compare the settings in a checkpoint with those of the run that resumes it.

    Args:
        before: Settings in its checkpoint.
        now: Settings of this process.
        allowed: Keys that may differ, or beginnings of keys; ``all`` for every one.

    Returns:
        Differences that are allowed, one line each.

    Raises:
        ChangedSettings: Others; lists all of them, and the option that allows them.

    Example:
        >>> check_settings({'seed': 1, 'a.b': 2}, {'seed': 1, 'a.b': 3}, allowed=['a'])
        ['a.b: 2 -> 3']
        >>> check_settings({'seed': 1}, {'seed': 2})
        Traceback (most recent call last):
        csbsr_mm.engine.checkpoint.settings.ChangedSettings: ... seed: 1 -> 2. ... --allow-changed seed
    """
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    lines = {key: f'{key}: {_show(before, key)} -> {_show(now, key)}' for key in changed}
    refused = [key for key in changed if not any(_covers(word, key) for word in allowed)]
    if refused:
        more = f'; and {len(refused) - 5} more' if len(refused) > 5 else ''
        raise ChangedSettings(
            f'the checkpoint was trained with other settings, and going on gives the result of neither: '
            f'{"; ".join(lines[key] for key in refused[:5])}{more}. Use the config of the run, or accept it: '
            f'--allow-changed {" ".join(sorted({_entry(key) for key in refused}))}'
        )
    return list(lines.values())


def _covers(word: str, key: str) -> bool:
    return word == 'all' or key == word or key.startswith(f'{word}.')


def _entry(key: str) -> str:
    """The part of a key that one would allow as a whole."""
    return (
        '.'.join(key.split('.')[:2])
        if key.startswith(('optim_wrapper.', 'train_dataloader.'))
        else key.split('.')[0]
    )


def _show(settings: Mapping[str, Any], key: str) -> str:
    return repr(settings[key]) if key in settings else 'not set'


def _flat(tree: Any, prefix: str = '') -> dict[str, Any]:
    """Leaves of nested dicts and lists by their dotted keys; an empty dict or list is a leaf."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    leaves: dict[str, Any] = {}
    for key, value in items:
        leaves |= _flat(value, f'{prefix}{key}.')
    return leaves or {prefix.rstrip('.'): tree}
