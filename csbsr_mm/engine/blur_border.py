"""Test on photos without the dark rim that a blur with zero padding leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

DEGRADATION = 'BlindDegradation'


def cut_test_border(cfg: Config, cut: bool = True) -> None:
    """Let the test pipeline cut the border of its LR images, or keep it.

    Photos that were degraded with zero padding have a rim whose darkness reveals the blur. A network that
    reads the blur there fails on real photos. Cutting costs half a kernel's width on each side.

    Args:
        cfg: Config with a test data set that ``BlindDegradation`` degrades; changed in place.
        cut: Whether to cut.

    Raises:
        ValueError: The test pipeline does not degrade photos.
    """
    steps = list(_degradations(cfg.get('test_dataloader') or {}))
    if not steps:
        raise ValueError(
            f'the test pipeline has no {DEGRADATION} whose border could be cut; the rim of stored LR images '
            'has to be cut when they are made'
        )
    for step in steps:
        step['cut_border'] = cut


def _degradations(node: Any) -> Iterator[dict]:
    """All degradation steps below a node of a config."""
    if isinstance(node, dict):
        if node.get('type') == DEGRADATION:
            yield node
        node = list(node.values())
    if isinstance(node, list | tuple):
        for child in node:
            yield from _degradations(child)
