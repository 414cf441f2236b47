import cv2
import pytest
import torch
from helpers.models import TINY_KBPN, tiny_unet
from helpers.training import loader, tiny_config
from mmengine.runner import Runner

from csbsr_mm.engine.hooks import TrainingPictureHook

HOOK = dict(type='TrainingPictureHook', interval=2, num_images=2)
BACKENDS = dict(type='BlindSRLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')])


def train(work_dir, **changes):
    runner = Runner.from_cfg(tiny_config(work_dir, visualizer=BACKENDS, **changes))
    runner.train()
    return runner, sorted(path for path in work_dir.rglob('progress_*.png'))


def test_draws_every_other_iteration_and_leaves_training_alone(tmp_path):
    watched, pictures = train(tmp_path / 'watched', hooks=[HOOK])
    bare, none = train(tmp_path / 'bare')
    assert [path.name for path in pictures] == ['progress_2.png', 'progress_4.png']
    assert not none
    for a, b in zip(watched.model.state_dict().values(), bare.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    picture = cv2.imread(str(pictures[0]))
    # Two rows of six columns, and something to see.
    assert picture.shape[1] > 2 * picture.shape[0]
    assert picture.std() > 20


def test_the_pretrainer_has_less_to_show(tmp_path):
    model = dict(
        type='BlindSRPretrainer',
        sr=TINY_KBPN,
        sr_loss=dict(type='BlindSRLoss'),
        data_preprocessor=dict(type='BlindSRDataPreProcessor', size_divisor=4),
    )
    _, pictures = train(
        tmp_path, model=model, hooks=[HOOK], train_dataloader=loader(size=(6, 7)), max_iters=2
    )
    assert len(pictures) == 1


def test_refuses_no_images():
    with pytest.raises(ValueError, match='got 1000 and 0'):
        TrainingPictureHook(num_images=0)


def test_refuses_models_that_see_other_images(tmp_path):
    model = {**tiny_unet(), 'data_preprocessor': dict(type='SegDataPreProcessor')}
    with pytest.raises(TypeError, match='EncoderDecoder has SegDataPreProcessor'):
        train(tmp_path, model=model, hooks=[HOOK])
