import errno
import os
import shutil
from types import SimpleNamespace

import pytest
import torch
from helpers.models import TINY_KBPN, tiny_csbsr, tiny_unet
from helpers.training import load, loader, tiny_config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS

from csbsr_mm.engine.checkpoint import CheckpointError
from csbsr_mm.engine.config import set_resume
from csbsr_mm.engine.hooks import SafeCheckpointHook
from csbsr_mm.utils.atomic_file import write_atomically


def run(work_dir, **changes):
    runner = Runner.from_cfg(tiny_config(work_dir, **changes))
    runner.train()
    return runner


def files(work_dir, pattern='*.pth*'):
    return sorted(path.name for path in work_dir.glob(pattern))


def test_keeps_the_last_two(tmp_path):
    run(tmp_path, max_iters=5, interval=2)
    assert files(tmp_path) == ['iter_4.pth', 'iter_5.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_5.pth')


@pytest.mark.parametrize('keep', [1, 2])
def test_a_full_disk_costs_no_checkpoint(tmp_path, monkeypatch, keep):
    """The new file is whole before an old one goes, even if only one is kept."""
    cfg = tiny_config(tmp_path, max_iters=3, interval=1)
    cfg.default_hooks.checkpoint.max_keep_ckpts = keep
    flush, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 4:  # file, folder, and the same of last_checkpoint
            raise OSError(28, 'No space left on device')
        flush(descriptor)

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space'):
        Runner.from_cfg(cfg).train()
    assert files(tmp_path) == ['iter_1.pth', 'iter_2.pth.partial']
    assert load((tmp_path / 'last_checkpoint').read_text())['meta']['iter'] == 1


def test_a_checkpoint_is_not_begun_without_room(tmp_path, monkeypatch):
    runner = Runner.from_cfg(tiny_config(tmp_path, max_iters=3, interval=1))
    usage, calls = shutil.disk_usage(tmp_path), []

    def nearly_full(folder):
        calls.append(folder)
        return usage._replace(free=10_000 if len(calls) > 1 else usage.free)

    monkeypatch.setattr(shutil, 'disk_usage', nearly_full)
    with pytest.raises(
        OSError, match=r'no room for the checkpoint of iteration 3: it takes \d+ MB'
    ) as caught:
        runner.train()
    assert caught.value.errno == errno.ENOSPC
    assert files(tmp_path) == ['iter_1.pth', 'iter_2.pth']


def test_resume_falls_back_to_an_intact_checkpoint(tmp_path, capsys):
    run(tmp_path, max_iters=2, interval=1)
    content = (tmp_path / 'iter_2.pth').read_bytes()
    (tmp_path / 'iter_2.pth').write_bytes(content[: len(content) // 2])
    cfg = tiny_config(tmp_path, max_iters=2)
    set_resume(cfg, 'auto')
    assert cfg.load_from == str(tmp_path / 'iter_1.pth')
    printed = capsys.readouterr().out
    assert 'iter_2.pth is truncated' in printed
    assert f'going on from {tmp_path}/iter_1.pth' in printed
    (tmp_path / 'iter_1.pth').unlink()
    with pytest.raises(CheckpointError, match='holds no other checkpoint'):
        set_resume(cfg, 'auto')


def test_a_run_killed_before_cleaning_up_is_cleaned_up_later(tmp_path):
    run(tmp_path, max_iters=3, interval=1)
    (tmp_path / 'iter_1.pth').write_bytes((tmp_path / 'iter_2.pth').read_bytes())
    (tmp_path / 'iter_9.pth.partial').touch()
    cfg = tiny_config(tmp_path, max_iters=4, interval=1)
    set_resume(cfg, 'auto')
    Runner.from_cfg(cfg).train()
    assert files(tmp_path) == ['iter_3.pth', 'iter_4.pth']


def test_best_checkpoint_keeps_the_generators_of_training(tmp_path):
    """Saving the best one rewrites the last one, in the midst of validation."""
    validation = loader(batch_size=1, length=2)
    validation['sampler'] = dict(type='DefaultSampler', shuffle=False)
    settings = dict(
        val_dataloader=validation,
        val_cfg=dict(type='ValLoop'),
        val_evaluator=[dict(type='SRQualityMetric')],
        train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=2, val_interval=1),
    )
    states = []
    for name, save_best in (('best', 'PSNR'), ('none', None)):
        cfg = tiny_config(tmp_path / name, max_iters=2, interval=1, **settings)
        cfg.default_hooks.checkpoint.update(save_best=save_best, rule='greater')
        Runner.from_cfg(cfg).train()
        states.append(load(tmp_path / name / 'iter_1.pth')['random_states'][0])
    assert len(files(tmp_path / 'best', 'best_PSNR_iter_*.pth')) == 1
    assert torch.equal(states[0]['torch'], states[1]['torch'])
    assert states[0]['python'] == states[1]['python']


def test_another_batch_size_goes_on_in_the_same_order(tmp_path):
    """Two iterations of two samples, then one of four: draws 4 to 7. Other processes: other dropout."""
    run(tmp_path / 'run', max_iters=2)
    checkpoint = load(tmp_path / 'run' / 'iter_2.pth')
    checkpoint['random_states'] *= 2
    torch.save(checkpoint, tmp_path / 'two_processes.pth')
    log = tmp_path / 'draws.txt'
    cfg = tiny_config(
        tmp_path / 'run',
        max_iters=3,
        train_dataloader=loader(batch_size=4, log=str(log)),
        log_level='INFO',
        allow_changed=['images_per_update', 'train_dataloader'],
    )
    set_resume(cfg, str(tmp_path / 'two_processes.pth'))
    Runner.from_cfg(cfg).train()
    assert log.read_text().split() == ['4', '5', '6', '7']
    (text,) = [path.read_text() for path in (tmp_path / 'run').rglob('*.log') if 'INFO' in path.read_text()]
    assert 'written by 2 processes, now there are 1' in text


def test_step_1_leads_to_the_joint_model(tmp_path):
    """`load_from` a pretrainer's checkpoint: S as it was, the segmentor and β as configured."""
    pretrainer = dict(
        type='BlindSRPretrainer',
        sr=TINY_KBPN,
        sr_loss=dict(type='BlindSRLoss'),
        data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
    )
    run(tmp_path / 'step1', max_iters=1, model=pretrainer)
    checkpoint = tmp_path / 'step1' / 'iter_1.pth'
    stages = dict(type='TrainingStageHook', stages=[dict(trainable=['segmentor'], task_weight=None)])
    joint = run(
        tmp_path / 'step3', max_iters=1, model=tiny_csbsr(), load_from=str(checkpoint), hooks=[stages]
    )
    weights = load(checkpoint)['state_dict']
    for name, value in joint.model.sr.state_dict().items():
        assert torch.equal(value, weights[f'sr.{name}'])
    assert joint.model.task_weight == 0.3


def test_load_from_leaves_the_schedule_to_the_config():
    """β, stage, kernel source and α of the run that wrote the checkpoint stay there; weights come over."""
    init_default_scope('mmseg')
    loss = dict(type='BoundaryComboLoss')
    donor, model = (
        MODELS.build(tiny_csbsr(segmentor=tiny_unet(loss_decode=loss), task_weight=beta))
        for beta in (0.9, 0.2)
    )
    donor.segmentor.decode_head.loss_decode.set_alpha(0.8)
    donor.set_training_stage(2)
    donor.set_use_gt_kernel(True)
    checkpoint = dict(state_dict=dict(donor.state_dict()))
    SafeCheckpointHook().after_load_checkpoint(SimpleNamespace(_resume=False, model=model), checkpoint)
    model.load_state_dict(checkpoint['state_dict'], strict=False)
    assert (model.task_weight, model.training_stage, model.use_gt_kernel) == (0.2, -1, False)
    assert model.segmentor.decode_head.loss_decode.alpha == 0
    for name, value in donor.named_parameters():
        assert torch.equal(model.get_parameter(name), value)


def test_atomic_write_replaces_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    write_atomically(path, b'old')
    monkeypatch.setattr(os, 'replace', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
