"""The joint model on the GPU: the CPU's numbers, nearly so in lower precision, without needless waiting."""

import copy

import pytest
import torch
from helpers.models import batch, tiny_csbsr, tiny_unet
from helpers.training import load, loader, tiny_config
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS

pytestmark = pytest.mark.cuda


@pytest.fixture(scope='module')
def model():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    config = tiny_csbsr(
        segmentor=tiny_unet(auxiliary=True, loss_decode=dict(type='BoundaryComboLoss', alpha=0.5)),
        sr_loss_weights=[dict(type='CrackOrientedWeight'), dict(type='FailOrientedWeight')],
        blur_skip=dict(type='BlurSkipNeck', in_channels=4, kernel_size=5),
    )
    model = MODELS.build(ConfigDict(config))
    model.init_weights()
    return model


def on(model, device):
    model = copy.deepcopy(model).to(device)
    model.data_preprocessor.to(device)
    return model


def training_loss(model, device, autocast=None):
    """Loss and gradients of one step."""
    model = on(model, device).train()
    data = model.data_preprocessor(batch(size=(12, 16)), True)
    with torch.autocast(torch.device(device).type, autocast, enabled=autocast is not None):
        losses = model.loss(data['inputs'], data['data_samples'])
        loss, _ = model.parse_losses(losses)
    loss.backward()
    return loss.item(), [None if p.grad is None else p.grad.cpu() for p in model.parameters()]


def test_step_equals_the_cpu(model, device):
    expected, gradients = training_loss(model, 'cpu')
    loss, found = training_loss(model, device)
    assert loss == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(found, gradients, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_mixed_precision_is_near(model, device, dtype):
    if device.type == 'cpu' and dtype == torch.float16:
        pytest.skip('half precision convolutions need a GPU')
    expected, _ = training_loss(model, 'cpu')
    loss, _ = training_loss(model, device, dtype)
    assert loss == pytest.approx(expected, rel=0.02)


def test_predictions_equal_the_cpu(model, device):
    results = []
    for where in ('cpu', device):
        twin = on(model, where).eval()
        with torch.no_grad():
            sample = twin.test_step(batch(count=1, size=(12, 16)))[0].cpu()
        results.append([sample.seg_prob.data, sample.sr_img.data, sample.blur_kernel.data])
    torch.testing.assert_close(results[1], results[0], rtol=1e-3, atol=1e-4)


def test_compiled_parts_keep_the_loss(model, device):
    expected, _ = training_loss(model, device)
    twin = copy.deepcopy(model)
    backend = 'inductor' if device.type == 'cuda' else 'aot_eager'
    twin.sr.compile(backend=backend)
    twin.segmentor.backbone.compile(backend=backend)
    loss, _ = training_loss(twin, device)
    assert loss == pytest.approx(expected, rel=1e-3)


def test_loss_waits_for_the_gpu_no_more_than_documented(model, device):
    """After a first step, a step copies nothing back to the host."""
    if device.type == 'cpu':
        pytest.skip('a CPU has nothing to wait for')
    twin = on(model, device).train()
    data = twin.data_preprocessor(batch(size=(12, 16)), True)
    twin.loss(data['inputs'], data['data_samples'])
    torch.cuda.set_sync_debug_mode('error')
    try:
        losses = twin.loss(data['inputs'], data['data_samples'])
        sum(value.sum() for name, value in losses.items() if 'loss' in name).backward()
    finally:
        torch.cuda.set_sync_debug_mode('default')


@pytest.mark.parametrize('wrapper', ['OptimWrapper', 'AmpOptimWrapper'])
def test_runner_trains_and_resumes(device, tmp_path, wrapper):
    if device.type == 'cpu' and wrapper == 'AmpOptimWrapper':
        pytest.skip('MMEngine has mixed precision on accelerators only')
    options = dict(dtype='bfloat16') if wrapper == 'AmpOptimWrapper' else {}
    optim = dict(type=wrapper, optimizer=dict(type='Adam', lr=1e-3), **options)
    changes = dict(train_dataloader=loader(), optim_wrapper=optim, hooks=[dict(type='EMAHook')])
    Runner.from_cfg(tiny_config(tmp_path, max_iters=2, interval=2, **changes)).train()
    resumed = tiny_config(tmp_path, max_iters=4, interval=2, resume=True, **changes)
    Runner.from_cfg(resumed).train()
    content = load(tmp_path / 'iter_4.pth')
    assert content['meta']['iter'] == 4
    assert all(
        value.isfinite().all() for value in content['state_dict'].values() if value.is_floating_point()
    )
