"""Centre lines from the data workers on their way to the losses, in real training runs."""

import numpy as np
import pytest
import torch
from helpers.boundary_training import PACK, RenderedBars, config
from helpers.models import tiny_unet
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from csbsr_mm.engine.hooks import LabelSkeletonHook
from csbsr_mm.functional.label_skeletons import skeleton_tubes
from csbsr_mm.models.losses import SkeletonRecallLoss

WORKERS = [dict(type='SkeletonTubeTransform', radius=1), dict(type='SoftSkeletonTransform')]
LOSSES = [
    dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.5),
    dict(type='SkeletonRecallLoss', radius=1),
    dict(type='CenterlineDiceLoss'),
    dict(type='BoundaryComboLoss', alpha=0.1, topology='centerline_dice'),
]


@pytest.fixture
def seen(monkeypatch):
    """Tubes in use and labels of every call of the skeleton recall loss."""
    init_default_scope('mmseg')
    calls, forward = [], SkeletonRecallLoss.forward

    def record(loss, cls_score, label, *args, **kwargs):
        calls.append((loss._tubes, label))
        return forward(loss, cls_score, label, *args, **kwargs)

    monkeypatch.setattr(SkeletonRecallLoss, 'forward', record)
    return calls


def trained(folder, pipeline, hooks):
    """Losses of a short run, and its model."""
    folder.mkdir()
    preprocessor = dict(
        type='SegDataPreProcessor', mean=[50] * 3, std=[50] * 3, size_divisor=16, seg_pad_val=255
    )
    model = {**tiny_unet(loss_decode=LOSSES), 'data_preprocessor': preprocessor}
    runner = Runner.from_cfg(config(folder, model, pipeline, hooks, max_iters=3))
    runner.train()
    return runner.message_hub.get_scalar('train/loss').data[0], runner.model


def test_lines_of_the_workers_reach_every_loss_and_change_nothing(tmp_path, seen):
    plain, _ = trained(tmp_path / 'plain', PACK[:1], [])
    assert all(tubes is None for tubes, _ in seen)
    seen.clear()
    carried, model = trained(tmp_path / 'carried', [PACK[0], *WORKERS], [dict(type='LabelSkeletonHook')])
    np.testing.assert_allclose(carried, plain, rtol=1e-6)
    assert len(seen) == 3
    for tubes, label in seen:
        assert len(tubes) == len(label) == 2
        for tube, image in zip(tubes, label, strict=True):
            height, width = tube.shape[1:]
            expected = skeleton_tubes(image[None], (1,), 1)[0]
            assert torch.equal(tube.float(), expected[:, :height, :width])
            assert expected.sum() == tube.sum()
    assert not model.data_preprocessor._forward_hooks
    kept = [(m._tubes if hasattr(m, '_tubes') else m._skeletons) for m in model.decode_head.loss_decode[1:]]
    assert kept == [None] * 3


def test_mixed_samples_and_models_without_such_losses_are_refused():
    samples = [
        RenderedBars([PACK[0], dict(WORKERS[0], radius=radius)])[0]['data_samples'] for radius in (1, 2)
    ]
    with pytest.raises(ValueError, match=r'a batch mixes samples of skeleton_tube_radius \[1, 2\]; use one'):
        LabelSkeletonHook()._on_batch(None, (), dict(data_samples=samples))

    class Bare:
        model = torch.nn.Conv2d(1, 1, 1)

    with pytest.raises(TypeError, match='Conv2d has no loss of centre lines'):
        LabelSkeletonHook().before_train(Bare())
