"""Two gloo processes, started by tools/dist_train.sh."""

import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.training import dump, free_port, load, loader, run_tool, tiny_config
from mmengine.runner import Runner

pytestmark = pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason='torch without gloo')

STAGES = [
    dict(end=1, frozen=['sr.kernel_predictor'], use_gt_kernel=True, task_weight=0.0),
    dict(end=2, trainable=['sr.kernel_predictor'], task_weight=0.0),
    dict(),
]


def launch(cfg, path, **kwargs):
    return run_tool('dist_train.sh', dump(cfg, path), 2, PORT=free_port(), **kwargs)


def float64_config(work_dir, batch_size, **changes):
    """The whole system in float64, with SGD and without batch norm; stages that leave parameters unused."""
    unet = tiny_unet(loss_decode=dict(type='BoundaryComboLoss', alpha=0.3), auxiliary=True)
    for part in (unet['backbone'], unet['decode_head'], unet['auxiliary_head']):
        part['norm_cfg'] = None
    model = tiny_csbsr(
        type='DoubleBlindSRSegmentor',
        segmentor=unet,
        sr_loss_weights=[dict(type='CrackOrientedWeight'), dict(type='FailOrientedWeight')],
        data_preprocessor=dict(type='DoubleDataPreProcessor', scale=4),
    )
    return tiny_config(
        work_dir,
        max_iters=4,
        model=model,
        train_dataloader=loader(batch_size=batch_size),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9)),
        hooks=[dict(type='TrainingStageHook', stages=STAGES), dict(type='NonFiniteLossHook')],
        **changes,
    )


@pytest.fixture(scope='module')
def one_process(tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('one')
    Runner.from_cfg(float64_config(work_dir, batch_size=4)).train()
    return load(work_dir / 'iter_4.pth')


def assert_close(first, second):
    for name, value in first['state_dict'].items():
        other = second['state_dict'][name]
        assert torch.allclose(value.double(), other.double(), rtol=0, atol=1e-9), name


def test_two_processes_equal_one_with_the_same_global_batch(tmp_path, one_process):
    """Also: unused parameters do not hang, and ranks agree after each switch, else the run would fail."""
    done = launch(float64_config(tmp_path, batch_size=2, log_level='INFO'), tmp_path / 'config.py')
    assert_close(one_process, load(tmp_path / 'iter_4.pth'))
    assert 'Stage 3 of 3 from iteration 3' in done.stdout + done.stderr


def test_accumulated_batches_equal_one_large_batch(tmp_path, one_process):
    cfg = float64_config(tmp_path, batch_size=1)
    cfg.optim_wrapper.accumulative_counts = 4
    Runner.from_cfg(cfg).train()
    accumulated = load(tmp_path / 'iter_4.pth')
    assert_close(one_process, accumulated)
    histories = (run['message_hub']['log_scalars']['train/loss'] for run in (accumulated, one_process))
    loss, reference = (history.data[0] for history in histories)
    assert loss == pytest.approx(reference, abs=1e-9)


def test_killed_rank_ends_the_job(tmp_path):
    cfg = tiny_config(tmp_path, max_iters=50, hooks=[dict(type='KillHook', after_iter=2, rank=1)])
    done = launch(cfg, tmp_path / 'config.py', check=False, timeout=90)
    assert done.returncode != 0
    assert 'SIGKILL' in done.stderr


def test_ranks_that_diverge_are_found(tmp_path):
    """The perturbation is what a parameter frozen before the wrapping would do."""
    hooks = [dict(type='TrainingStageHook', stages=[dict()]), dict(type='PerturbHook')]
    done = launch(tiny_config(tmp_path, max_iters=50, hooks=hooks), tmp_path / 'config.py', check=False)
    assert done.returncode != 0
    assert 'ranks hold different parameters after iteration 1: 1 of' in done.stderr


def test_nan_on_one_rank_stops_all(tmp_path):
    """Draw 5 is the second rank's sample of the third iteration."""
    cfg = tiny_config(
        tmp_path,
        max_iters=50,
        hooks=[dict(type='NonFiniteLossHook')],
        train_dataloader=loader(batch_size=1, nan_at=5),
    )
    done = launch(cfg, tmp_path / 'config.py', check=False)
    assert done.returncode != 0
    assert 'iteration 3: the loss is not finite' in done.stderr
    assert 'rank 0: loss=0.' in done.stderr
    assert 'rank 1: loss=nan' in done.stderr
    assert load(tmp_path / 'non_finite_iter_3.pth')['meta']['iter'] == 2
