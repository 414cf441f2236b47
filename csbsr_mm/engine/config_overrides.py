"""Settings that one place of a config decides for many: the root of the data."""

from __future__ import annotations

from mmengine.config import Config


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
