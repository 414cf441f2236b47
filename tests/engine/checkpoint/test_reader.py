import struct
import zipfile

import numpy as np
import pytest
import torch
from helpers.training import loader, tiny_config
from mmengine.logging import HistoryBuffer
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS

from csbsr_mm.engine.checkpoint import CheckpointError, read_checkpoint, read_weights, weights_of
from csbsr_mm.engine.checkpoint.checksum import add_checksums
from csbsr_mm.weights import list_weights


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A checkpoint of a run with everything that has a state."""
    work_dir = tmp_path_factory.mktemp('run')
    validation = loader(batch_size=1, length=2)
    validation['sampler'] = dict(type='DefaultSampler', shuffle=False)
    cfg = tiny_config(
        work_dir,
        max_iters=2,
        train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=2, val_interval=1),
        val_dataloader=validation,
        val_cfg=dict(type='ValLoop'),
        val_evaluator=[dict(type='SRQualityMetric')],
        param_scheduler=[dict(type='MultiStepLR', milestones=[1], by_epoch=False)],
        hooks=[dict(type='EMAHook')],
    )
    cfg.default_hooks.checkpoint.update(save_best='PSNR', rule='greater', interval=1)
    Runner.from_cfg(cfg).train()
    return work_dir


def test_our_checkpoints_need_no_more_than_torchs_default(trained):
    (best,) = trained.glob('best_*.pth')
    for path in (trained / 'iter_2.pth', best):
        assert torch.serialization.get_unsafe_globals_in_checkpoint(path) == []
        content = torch.load(path, weights_only=True)
        assert content['message_hub']['log_scalars']['train/loss']['values'].shape[0] > 0


def test_reading_gives_what_was_written(trained):
    path = trained / 'iter_2.pth'
    content, written = read_checkpoint(path), torch.load(path, weights_only=True)
    assert content.keys() == written.keys()
    for name, value in written['state_dict'].items():
        assert torch.equal(content['state_dict'][name], value)
    history = content['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert history.data[0].tolist() == written['message_hub']['log_scalars']['train/loss']['values'].tolist()
    assert history.mean() == pytest.approx(np.mean(history.data[0]))


@pytest.mark.parametrize('zipped', [True, False])
def test_mmengines_own_history_and_arrays(tmp_path, zipped):
    history = HistoryBuffer([1.5, 2.5], [1, 2], max_length=7)
    arrays = dict(
        row=np.arange(6, dtype=np.int16).reshape(2, 3),
        column=np.asfortranarray(np.eye(3)[:2]),
        scalar=np.float32(3.5),
    )
    hub = dict(log_scalars=dict(loss=history), runtime_info=dict(iter=3), resumed_keys=dict(loss=True))
    path = tmp_path / 'stock.pth'
    stock = dict(state_dict=dict(a=torch.ones(2)), meta=arrays, message_hub=hub)
    torch.save(stock, path, _use_new_zipfile_serialization=zipped)
    content = read_checkpoint(path)
    restored = content['message_hub']['log_scalars']['loss']
    assert restored.mean(2) == history.mean(2)
    assert restored.max_length == 7
    for name, array in arrays.items():
        assert np.array_equal(content['meta'][name], array)


def test_flipped_bits_are_found(trained, tmp_path):
    """Wherever in the tensors or the pickle."""
    whole = (trained / 'iter_2.pth').read_bytes()
    with zipfile.ZipFile(trained / 'iter_2.pth') as archive:
        parts = [part for part in archive.infolist() if part.file_size > 100]
    for part in parts[:: max(1, len(parts) // 12)]:
        damaged = bytearray(whole)
        name, extra = struct.unpack('<HH', whole[part.header_offset + 26 : part.header_offset + 30])
        damaged[part.header_offset + 30 + name + extra + part.file_size // 2] ^= 4
        (tmp_path / 'damaged.pth').write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r'damaged\.pth is truncated, damaged, or none: Bad CRC'):
            read_checkpoint(tmp_path / 'damaged.pth')


def test_weights_that_changed_before_they_were_packed(tmp_path):
    weights = dict(
        a=torch.arange(6.0).reshape(2, 3).T, b=torch.tensor(1), c=torch.zeros(0), d=torch.ones(2).half()
    )
    content = dict(state_dict=weights)
    add_checksums(content)
    torch.save(content, tmp_path / 'whole.pth')
    assert set(read_weights(tmp_path / 'whole.pth')) == set('abcd')
    weights['d'] = torch.tensor([1.0, 1.001]).half()
    torch.save(content, tmp_path / 'changed.pth')
    with pytest.raises(
        CheckpointError, match=r'changed\.pth .*1 of 4 weights in state_dict are not as written, first d'
    ):
        read_checkpoint(tmp_path / 'changed.pth')


@pytest.mark.parametrize('size', [0, 1, 1000, 20_000])
def test_truncated_files(trained, tmp_path, size):
    (tmp_path / 'cut.pth').write_bytes((trained / 'iter_2.pth').read_bytes()[:size])
    with pytest.raises(CheckpointError, match=r'cut\.pth is truncated, damaged, or none'):
        read_checkpoint(tmp_path / 'cut.pth')


def test_what_is_no_checkpoint(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match=r'list\.pth is no checkpoint: it holds a list'):
        read_checkpoint(tmp_path / 'list.pth')
    torch.save(dict(epoch=3), tmp_path / 'log.pth')
    with pytest.raises(CheckpointError, match='holds no state_dict'):
        read_weights(tmp_path / 'log.pth')
    with pytest.raises(FileNotFoundError, match=r'gone\.pth does not exist'):
        read_checkpoint(tmp_path / 'gone.pth')
    endless = []
    endless.append(endless)
    torch.save(dict(state_dict={}, meta=endless), tmp_path / 'endless.pth')
    with pytest.raises(CheckpointError, match='nested more than'):
        read_checkpoint(tmp_path / 'endless.pth')


def test_a_model_file_is_read_like_a_checkpoint(tmp_path):
    file = list_weights()['rendered']
    content = read_checkpoint(file.path)
    assert content['meta']['dataset_meta'] == file.dataset_meta
    init_default_scope('mmseg')
    network = MODELS.build(file.model)
    fit = network.load_state_dict(weights_of(content, file.path), strict=False)
    assert not fit.unexpected_keys
    assert all(name.startswith('_') for name in fit.missing_keys)  # where the schedule stands
    damaged = tmp_path / 'a.safetensors'
    damaged.write_bytes(file.path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r'a\.safetensors'):
        read_checkpoint(damaged)
