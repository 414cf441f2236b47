import pytest
import torch
from mmengine.config import Config

from csbsr_mm.engine.config import load_config, set_resume
from csbsr_mm.engine.runtime import enable_amp, prepare_runtime
from csbsr_mm.engine.tta import enable_tta

needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason='says what happens without a GPU')


def config(**entries):
    base = dict(
        train_dataloader=dict(batch_size=6),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1)),
        model=dict(norm=dict(type='SyncBN'), heads=[dict(norm_cfg=dict(type='SyncBN'))]),
    )
    return Config({**base, **entries})


@needs_no_gpu
def test_without_gpu_sync_bn_becomes_bn_everywhere():
    cfg = prepare_runtime(config())
    assert cfg.model.norm.type == 'BN'
    assert cfg.model.heads[0].norm_cfg.type == 'BN'


@needs_no_gpu
def test_amp_without_gpu_is_bfloat16():
    cfg = config()
    enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    prepare_runtime(cfg)
    assert cfg.optim_wrapper.type == 'CPUAmpOptimWrapper'
    assert 'loss_scale' not in cfg.optim_wrapper
    enable_amp(cfg)
    assert cfg.optim_wrapper.type == 'CPUAmpOptimWrapper'


def test_amp_refuses_wrappers_of_its_own_kind():
    with pytest.raises(ValueError, match='got OptimWrapperDict'):
        enable_amp(config(optim_wrapper=dict(type='OptimWrapperDict')))


@needs_no_gpu
def test_slurm_needs_gpus():
    with pytest.raises(RuntimeError, match=r"'slurm' needs GPUs.*dist_train\.sh"):
        prepare_runtime(config(), 'slurm')


@pytest.mark.parametrize(('accumulated', 'per_batch'), [(1, 6), (2, 3), (6, 1)])
def test_global_batch_is_divided_among_accumulated_batches(accumulated, per_batch):
    cfg = config(global_batch_size=6)
    cfg.optim_wrapper.accumulative_counts = accumulated
    assert prepare_runtime(cfg).train_dataloader.batch_size == per_batch


def test_global_batch_that_cannot_be_divided():
    cfg = config(global_batch_size=6)
    cfg.optim_wrapper.accumulative_counts = 4
    with pytest.raises(ValueError, match=r'global_batch_size=6 .* 4 accumulated'):
        prepare_runtime(cfg)


def test_a_batch_size_of_ones_own_is_left_alone():
    cfg = config(global_batch_size=6, train_dataloader=dict(batch_size=2))
    assert prepare_runtime(cfg).train_dataloader.batch_size == 2


def test_loaders_without_workers_keep_none():
    loader = dict(batch_size=2, num_workers=0, persistent_workers=True, prefetch_factor=4)
    cfg = prepare_runtime(config(train_dataloader=loader, val_dataloader={**loader, 'num_workers': 1}))
    assert torch.utils.data.DataLoader([1, 2], **cfg.train_dataloader).num_workers == 0
    assert cfg.val_dataloader.persistent_workers


def test_misspelt_options_are_refused(tmp_path):
    file = tmp_path / 'config.py'
    file.write_text("model = dict(type='KBPN')\n")
    with pytest.raises(ValueError, match='the config has no modle; did you mean model'):
        load_config(str(file), {'modle.channels': 3})
    with pytest.raises(ValueError, match='no optim_wraper; did you mean optim_wrapper'):
        load_config(str(file), {'optim_wraper.optimizer.lr': 1})
    options = {
        'optim_wrapper.clip_grad.max_norm': 1,
        'load_from': 'a.pth',
        'my_own_note': 'b',
        'tta_model': {},
    }
    assert load_config(str(file), options).my_own_note == 'b'


def test_options_reach_the_data_loaders(tmp_path):
    file = tmp_path / 'config.py'
    file.write_text(
        "data_root = 'a'\nglobal_batch_size = 6\n"
        'train_dataloader = dict(batch_size=6, dataset=dict(data_root=data_root))\n'
    )
    cfg = load_config(str(file), dict(data_root='b', global_batch_size=12))
    assert cfg.train_dataloader.dataset.data_root == 'b'
    assert cfg.train_dataloader.batch_size == 12
    assert cfg.work_dir == 'work_dirs/config'
    assert load_config(str(file), work_dir='elsewhere').work_dir == 'elsewhere'


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'config nowhere\.py does not exist'):
        load_config('nowhere.py')
    cfg = config(load_from=str(tmp_path / 'step1.pth'), work_dir=str(tmp_path))
    for resume in (None, 'auto'):
        with pytest.raises(FileNotFoundError, match=r'step1\.pth does not exist; train the step before'):
            set_resume(cfg, resume)


def test_tta_of_a_stock_model_is_merged_by_ours_and_without_diagonals():
    """EncoderDecoder cannot flip a diagonal back; SegTTAModel leaves the last version's logits."""
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]
    for model, flips in (('EncoderDecoder', 3), ('BlindSRSegmentor', 4)):
        cfg = Config(
            dict(
                model=dict(type=model),
                tta_model=dict(type='SegTTAModel'),
                test_dataloader=dict(dataset=dict(pipeline=pipeline)),
            )
        )
        enable_tta(cfg)
        assert cfg.model.type == 'BlindSRTTAModel'
        augmentation = cfg.test_dataloader.dataset.pipeline[-1]
        directions = [flip.direction for flip in augmentation.transforms[0]]
        assert len(directions) == flips
        assert ('diagonal' in directions) == (model == 'BlindSRSegmentor')
