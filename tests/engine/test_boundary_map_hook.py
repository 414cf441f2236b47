"""Precomputed distance maps on their way to the losses, in real training runs."""

import numpy as np
import pytest
import torch
from helpers.boundary_training import BLIND, PACK, Recorder, RenderedBars, bc_unet, config
from helpers.models import tiny_csbsr
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from csbsr_mm.engine.hooks import BoundaryMapHook
from csbsr_mm.engine.hooks.boundary_losses import boundary_losses
from csbsr_mm.functional.boundary import boundary_map


@pytest.fixture
def recorder(monkeypatch):
    init_default_scope('mmseg')
    return Recorder(monkeypatch)


def train_losses(tmp_path, model, pipeline, hooks, **changes):
    """Loss values of a short run."""
    tmp_path.mkdir()
    hooks = [dict(type='BoundaryRebalanceHook', epoch_iters=1, step=0.3), *hooks]
    runner = Runner.from_cfg(config(tmp_path, model, pipeline, hooks, max_iters=3, **changes))
    runner.train()
    return runner.message_hub.get_scalar('train/loss').data[0]


@pytest.mark.parametrize('wrapped', [False, True])
def test_precomputed_maps_reach_every_loss_and_change_nothing(tmp_path, recorder, wrapped):
    pipeline = BLIND if wrapped else PACK
    model = bc_unet(auxiliary=True)
    if wrapped:
        model = tiny_csbsr(segmentor=model, sr_loss_weights=[dict(type='SegLossWeight')])
    plain = train_losses(tmp_path / 'plain', model, pipeline[:-1], [])
    assert all(maps is None for maps, _ in recorder.maps)
    recorder.maps.clear()
    hook = dict(type='BoundaryMapHook')
    carried = train_losses(tmp_path / 'carried', model, pipeline, [hook])
    np.testing.assert_allclose(carried, plain, rtol=1e-6)
    assert len(recorder.maps) == 6
    for maps, label in recorder.maps:
        assert len(maps) == len(label) == 2
        for phi, image in zip(maps, label, strict=True):
            height, width = phi.shape[1:]
            expected = boundary_map(image)[:, :height, :width]
            assert torch.equal(phi, expected)


def test_maps_follow_accumulated_batches(tmp_path, recorder):
    """Several batches make one iteration: each must meet its own maps."""
    changes = dict(
        train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=3),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01), accumulative_counts=2),
    )
    train_losses(tmp_path / 'run', bc_unet(), PACK, [dict(type='BoundaryMapHook')], **changes)
    assert len(recorder.maps) == 6
    for maps, label in recorder.maps:
        for phi, image in zip(maps, label, strict=True):
            assert torch.equal(phi, boundary_map(image)[:, : phi.shape[1], : phi.shape[2]])


def test_hook_lets_go_after_training(tmp_path, recorder):
    hooks = [dict(type='BoundaryMapHook'), dict(type='BoundaryRebalanceHook')]
    runner = Runner.from_cfg(config(tmp_path, bc_unet(), hooks=hooks, max_iters=1))
    runner.train()
    assert not runner.model.data_preprocessor._forward_hooks
    assert all(loss._boundary_maps is None for loss in boundary_losses(runner.model).values())


def test_mixed_kinds_of_maps_are_refused():
    samples = [RenderedBars([PACK[0], dict(PACK[1], normalize=n)])[0]['data_samples'] for n in (True, False)]
    with pytest.raises(ValueError, match='mixes normalised distance maps and maps in pixels'):
        BoundaryMapHook()._on_batch(None, (), dict(data_samples=samples))
