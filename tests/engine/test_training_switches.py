"""What makes training faster or smoother: the same losses, or a known formula."""

import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.training import load, loader, tiny_config
from mmengine.runner import Runner


def losses(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner.message_hub.get_scalar('train/loss').data[0]


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    return losses(tiny_config(tmp_path_factory.mktemp('plain'), model=model()))


def model(**changes):
    """With everything that hooks into modules: weights from logits, blur skip, auxiliary head."""
    return tiny_csbsr(
        segmentor=tiny_unet(auxiliary=True),
        sr_loss_weights=[dict(type='FailOrientedWeight')],
        blur_skip=dict(type='BlurSkipNeck', in_channels=4, kernel_size=5),
        **changes,
    )


@pytest.mark.parametrize(
    'options',
    [
        dict(channels_last=True),
        dict(compile_parts=['sr', 'segmentor'], compile_options=dict(backend='aot_eager')),
    ],
    ids=lambda options: '-'.join(options),
)
def test_acceleration_keeps_the_losses(tmp_path, plain, options):
    hooks = [dict(type='AccelerationHook', **options), dict(type='EMAHook')]
    cfg = tiny_config(tmp_path, model=model(), hooks=hooks)
    assert losses(cfg) == pytest.approx(plain, rel=1e-4)
    names = load(tmp_path / 'iter_4.pth')['state_dict'].keys()
    assert not [name for name in names if '_orig_mod' in name]


def test_checkpointed_stages_keep_the_losses(tmp_path, plain):
    cfg = tiny_config(tmp_path, model=model())
    cfg.model.sr.checkpoint_stages = True
    assert losses(cfg) == pytest.approx(plain, rel=1e-5)


def test_acceleration_names_what_there_is(tmp_path):
    hook = dict(type='AccelerationHook', compile_parts=['generator'])
    with pytest.raises(ValueError, match=r"no submodule 'generator'; it has \['data_preprocessor', 'sr'"):
        losses(tiny_config(tmp_path, hooks=[hook]))


def test_ema_is_the_running_mean_of_the_weights(tmp_path):
    """θ' ← 0.9 θ' + 0.1 θ, beginning with the first iteration's θ; checkpoints hold θ'."""
    cfg = tiny_config(tmp_path, interval=1)
    cfg.default_hooks.checkpoint.max_keep_ckpts = -1
    cfg.merge_from_dict({'default_hooks.ema.type': 'EMAHook', 'default_hooks.ema.momentum': 0.1})
    Runner.from_cfg(cfg).train()
    checkpoints = [load(tmp_path / f'iter_{i}.pth') for i in range(1, 5)]
    name = 'sr.reconstruct.weight'
    # MMEngine stores the trained weights where one would expect the averaged ones, and vice versa.
    trained = [checkpoint['ema_state_dict'][f'module.{name}'].double() for checkpoint in checkpoints]
    mean = trained[0]
    for weights in trained[1:]:
        mean = 0.9 * mean + 0.1 * weights
    assert torch.allclose(checkpoints[-1]['state_dict'][name].double(), mean, atol=1e-7)
    assert not torch.equal(trained[-1], trained[0])


def test_clipping_bounds_the_update(tmp_path):
    """With SGD at rate 1 the length of an update is the length of the clipped gradient."""
    wrapper = dict(
        type='OptimWrapper', optimizer=dict(type='SGD', lr=1.0), clip_grad=dict(max_norm=1e-3, norm_type=2)
    )
    cfg = tiny_config(tmp_path, max_iters=2, interval=1, optim_wrapper=wrapper, train_dataloader=loader())
    runner = Runner.from_cfg(cfg)
    runner.train()
    before, after = (load(tmp_path / f'iter_{i}.pth')['state_dict'] for i in (1, 2))
    steps = [
        (after[name] - before[name]).double().square().sum() for name, _ in runner.model.named_parameters()
    ]
    assert sum(steps).sqrt().item() == pytest.approx(1e-3, rel=1e-3)
    assert runner.message_hub.get_scalar('train/grad_norm').current() > 1e-3
