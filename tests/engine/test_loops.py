import pytest
from helpers.models import NORM, tiny_csbsr, tiny_unet
from helpers.training import load, loader, tiny_config
from mmengine.runner import Runner

from csbsr_mm.engine.config import set_resume


def test_finite_samplers_start_over(tmp_path):
    """MMEngine's DefaultSampler ends after the data set; each pass is shuffled anew."""
    log = tmp_path / 'draws.txt'
    data = loader(length=4, log=str(log))
    data['sampler'] = dict(type='DefaultSampler', shuffle=True)
    Runner.from_cfg(tiny_config(tmp_path, max_iters=4, train_dataloader=data)).train()
    drawn = [int(index) for index in log.read_text().split()]
    assert sorted(drawn[:4]) == sorted(drawn[4:]) == [0, 1, 2, 3]


def test_samplers_that_cannot_jump_are_named_on_resume(tmp_path, capsys):
    data = loader()
    data['sampler'] = dict(type='InfiniteSampler')
    Runner.from_cfg(tiny_config(tmp_path, max_iters=1, train_dataloader=data)).train()
    cfg = tiny_config(tmp_path, max_iters=2, train_dataloader=data, log_level='INFO')
    set_resume(cfg, 'auto')
    Runner.from_cfg(cfg).train()
    printed = capsys.readouterr()
    assert 'InfiniteSampler cannot go on where training stopped' in printed.out + printed.err
    assert load(tmp_path / 'iter_2.pth')['meta']['iter'] == 2


def test_one_image_per_process_and_batch_norm_after_global_pooling(tmp_path):
    head = dict(
        type='PSPHead',
        in_channels=4,
        in_index=1,
        channels=4,
        pool_scales=(1,),
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=NORM,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True),
    )
    model = tiny_csbsr(segmentor={**tiny_unet(), 'decode_head': head})
    cfg = tiny_config(tmp_path, model=model, train_dataloader=loader(batch_size=1))
    with pytest.raises(ValueError, match=r'one image per process\. Use SyncBN on several GPUs'):
        Runner.from_cfg(cfg).train()
