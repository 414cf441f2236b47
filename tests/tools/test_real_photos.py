"""Testing on photos of odd size that have masks, but neither an HR image nor a kernel."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.models import tiny_csbsr
from helpers.training import csbsr
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmseg.registry import MODELS
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.functional.overlap import overlap_sweep

CONFIG = Path(__file__).parents[2] / 'configs' / 'csbsr' / 'kbpn_pspnet_real_photos.py'


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for number, size in enumerate([(13, 17), (21, 10), (16, 16)]):
        for kind, suffix in (('images', 'jpg'), ('masks', 'png')):
            (tmp_path / kind).mkdir(exist_ok=True)
            shape = (*size, 3) if kind == 'images' else size
            values = rng.integers(0, 256, shape, np.uint8)
            values = values if kind == 'images' else 255 * (values > 200).astype(np.uint8)
            Image.fromarray(values).save(tmp_path / kind / f'{number}.{suffix}')
    return tmp_path


def test_metrics_are_those_of_the_photos(photos):
    config = Config.fromfile(CONFIG)
    config.model = ConfigDict(tiny_csbsr(sr_loss=None, output_size=config.model.output_size))
    config.data_root = config.test_dataloader.dataset.data_root = str(photos)
    config.test_dataloader.update(num_workers=0, persistent_workers=False)
    config.dump(photos / 'config.py')
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    save_checkpoint(dict(state_dict=model.state_dict(), meta={}), str(photos / 'model.pth'))

    arguments = [photos / 'config.py', photos / 'model.pth', '--json', photos / 'metrics.json']
    assert csbsr('test', *arguments, '--work-dir', photos / 'work') == 0
    metrics = json.loads((photos / 'metrics.json').read_text())['metrics']
    assert {'IoU_max', 'AIU', 'HD95_min', 'AHD95'} <= set(metrics)
    assert not {'PSNR', 'SSIM', 'kernel_PSNR'} & set(metrics)

    thresholds = np.arange(1, 100, dtype=np.float32) / np.float32(100)
    curves = []
    infer = CrackInferencer(model.eval(), tile=32)
    for number in range(3):
        logits = torch.logit(
            torch.from_numpy(infer(photos / 'images' / f'{number}.jpg').probability)[None, None]
        )
        mask = np.asarray(Image.open(photos / 'masks' / f'{number}.png')) == 255
        small = torch.nn.functional.interpolate(logits, mask.shape, mode='bilinear').sigmoid()
        both, either = overlap_sweep(small[0, 0].numpy(), mask, thresholds)
        curves.append((both + 1e-5) / (either + 1e-5))
    assert metrics['AIU'] == pytest.approx(np.mean(curves), abs=1e-3)
