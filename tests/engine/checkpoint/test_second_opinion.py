"""picklescan, which others use to judge checkpoints, beside our reader; skipped where it is not installed."""

import logging

import pytest
import torch
from helpers.checkpoint_attacks import archive, attacks, checkpoint_of, name
from helpers.models import tiny_csbsr
from helpers.training import tiny_config
from mmengine.runner import Runner

from csbsr_mm.engine.checkpoint import CheckpointError, read_checkpoint
from csbsr_mm.engine.checkpoint.allowed_globals import PLAIN_NAMES

scanner = pytest.importorskip('picklescan.scanner', reason='a second opinion, `pip install picklescan`')

MISSED = {'config', 'import_module', 'inner_load', 'object_scalar'}
"""Attacks that picklescan 1.0.5 calls suspicious only; our reader refuses them all the same."""


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def test_what_picklescan_finds_is_refused(tmp_path):
    found = set()
    for attack, content in attacks('pass').items():
        path = tmp_path / f'{attack}.pth'
        path.write_bytes(content)
        if scanner.scan_file_path(path).issues_count:
            found.add(attack)
        with pytest.raises(CheckpointError):
            read_checkpoint(path)
    assert found >= set(attacks('pass')) - MISSED


def test_picklescan_finds_nothing_in_the_names_that_we_allow(tmp_path):
    path = tmp_path / 'allowed.pth'
    path.write_bytes(archive(checkpoint_of(*map(name, sorted(PLAIN_NAMES)))))
    result = scanner.scan_file_path(path)
    assert not result.issues_count
    assert not result.scan_err
    assert len(result.globals) == len(PLAIN_NAMES)


def test_picklescan_calls_our_checkpoints_innocuous(tmp_path):
    Runner.from_cfg(tiny_config(tmp_path / 'run', max_iters=1, model=tiny_csbsr())).train()
    path = tmp_path / 'run' / 'iter_1.pth'
    result = scanner.scan_file_path(path)
    assert result.globals
    assert {found.safety for found in result.globals} <= {scanner.SafetyLevel.Innocuous}, result.globals
    assert isinstance(torch.load(path, weights_only=True), dict)
