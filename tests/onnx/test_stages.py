"""A folder of ONNX files gives what the checkpoint gives: one kernel and one normalisation a photo."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.onnx_models import TINY, build, needs_onnx
from mmengine.config import Config
from mmengine.runner import save_checkpoint

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.onnx.stages import check_stages, export_stages

BLUR_SKIP = dict(type='BlurSkipNeck', in_channels=4, kernel_size=5, num_blocks=1)
WITHOUT_TORCH = """
import importlib.util, sys

BLOCKED = ('torch', 'torchvision', 'mmseg', 'mmengine', 'mmcv')

class Blocked:
    # Not to be found, as on a machine without it.
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in BLOCKED:
            raise ModuleNotFoundError('No module named ' + repr(name), name=name)

sys.meta_path.insert(0, Blocked())
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in BLOCKED else find(name, *rest)
import numpy as np
from csbsr_mm.apis import CrackInferencer

infer = CrackInferencer.from_onnx(sys.argv[1], overlap=4)
result = infer(np.load(sys.argv[2]))
np.savez(sys.argv[3], **{name: getattr(result, name) for name in ('probability', 'sr_image', 'blur_kernel')})
assert not set(sys.modules) & set(BLOCKED)
try:
    CrackInferencer()
except ImportError as error:
    assert 'A model that is not exported needs' in str(error), error
else:
    raise AssertionError('a model without torch')
"""


@pytest.fixture(scope='module')
def photo():
    """Dark on one side, bright on the other: no tile has the statistics of the whole."""
    generator = np.random.default_rng(0)
    image = generator.integers(0, 90, (23, 41, 3))
    image[:, 20:] += 150
    return image.astype(np.uint8)


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """A tiny CSBSR model with blur skip, and its folder for two 16x16 tiles at a time."""
    needs_onnx()
    model = build(tiny_csbsr(sr=TINY, sr_loss=None, blur_skip=BLUR_SKIP))
    folder = tmp_path_factory.mktemp('stages') / 'model'
    export_stages(model, folder, size=(16, 16), batch_size=2)
    return folder, model


def test_each_stage_equals_torch(exported):
    folder, model = exported
    assert sorted(path.name for path in folder.iterdir()) == [
        'kernel.onnx',
        'model.json',
        'restore.onnx',
        'segment.onnx',
    ]
    assert check_stages(folder, model) < 1e-5


def test_the_result_is_the_checkpoints(exported, photo, tmp_path):
    """Without torch: onnxruntime and NumPy do it all."""
    folder, model = exported
    expected = CrackInferencer(model, tile=16, overlap=4)(photo)
    per_tile = CrackInferencer(model, tile=16, overlap=4, per_tile=True)(photo)
    assert np.abs(per_tile.probability - expected.probability).max() > 1e-3, 'the photo tells nothing'
    np.save(tmp_path / 'photo.npy', photo)
    words = [folder, tmp_path / 'photo.npy', tmp_path / 'found.npz']
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', WITHOUT_TORCH, *map(str, words)],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / 'found.npz') as found:
        for name in ('probability', 'sr_image', 'blur_kernel'):
            np.testing.assert_allclose(found[name], getattr(expected, name), atol=1e-4)


def test_photos_of_one_tile_and_tiles_alone(exported, photo):
    folder, model = exported
    infer = CrackInferencer.from_onnx(folder, overlap=4)
    assert (infer.tile, infer.batch_size, infer.threshold) == (16, 2, 0.5)
    theirs = CrackInferencer(model, tile=16, overlap=4)
    for image in (photo[:16, :16], photo[:16, 18:34]):
        np.testing.assert_allclose(infer(image).probability, theirs(image).probability, atol=1e-4)
    assert infer(photo[:9, :13]).probability.shape == (36, 52)
    ours, model_alone = (
        CrackInferencer.from_onnx(folder, overlap=4, per_tile=True)(photo),
        CrackInferencer(model, tile=16, overlap=4, per_tile=True)(photo),
    )
    np.testing.assert_allclose(ours.probability, model_alone.probability, atol=1e-4)


def test_the_command_writes_checks_and_predicts(tmp_path, photo, capsys):
    """A network that is not blind, without blur skip."""
    needs_onnx()
    config = Config(
        dict(model=tiny_csbsr(sr=dict(type='BicubicUpsampler', scale=4), sr_loss=None), default_scope='mmseg')
    )
    config.dump(tmp_path / 'tiny.py')
    model = build(config.model)
    save_checkpoint(dict(state_dict=model.state_dict(), meta={}), str(tmp_path / 'tiny.pth'))
    arguments = [tmp_path / 'tiny.py', tmp_path / 'tiny.pth', tmp_path / 'folder']
    assert main(['export', *map(str, arguments), '--size', '16', '16', '--check']) == 0
    assert 'onnxruntime and torch are equal' in capsys.readouterr().out
    assert not (tmp_path / 'folder' / 'kernel.onnx').exists()
    expected = CrackInferencer(model, tile=16, overlap=4)(photo)
    found = CrackInferencer.from_onnx(tmp_path / 'folder', overlap=4)(photo)
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-4)
    assert found.blur_kernel is None
    from PIL import Image

    Image.fromarray(photo).save(tmp_path / 'a.png')
    words = [tmp_path / 'tiny.py', tmp_path / 'folder', tmp_path / 'a.png', '--out-dir', tmp_path / 'out']
    assert main(['predict', *map(str, words), '--overlap', '4']) == 0
    assert json.loads((tmp_path / 'out' / 'summary.json').read_text())['photos'][0]['tiles'] == 8


def test_folders_that_are_none(exported, tmp_path):
    folder, _ = exported
    with pytest.raises(FileNotFoundError, match=r'holds no model\.json'):
        CrackInferencer.from_onnx(tmp_path)
    (tmp_path / 'model.json').write_text(json.dumps({'format': 99}))
    with pytest.raises(ValueError, match='has format 99, this version reads 1'):
        CrackInferencer.from_onnx(tmp_path)
    (tmp_path / 'model.json').write_text((folder / 'model.json').read_text())
    with pytest.raises(FileNotFoundError, match=r'restore\.onnx does not exist'):
        CrackInferencer.from_onnx(tmp_path)
    with pytest.raises(ValueError, match='take 2 tiles of 16x16 at a time, got 2 of 23x24'):
        CrackInferencer.from_onnx(folder, tile=24, overlap=4)(np.zeros((23, 41, 3), np.uint8))


def test_a_model_without_stages(tmp_path):
    needs_onnx()
    with pytest.raises(ValueError, match=r'EncoderDecoder .* has no stages .* name an \.onnx file'):
        export_stages(build(tiny_unet()), tmp_path / 'folder')


@pytest.mark.slow
def test_any_tile_and_batch(tmp_path, photo):
    needs_onnx()
    model = build(tiny_csbsr(sr=TINY, sr_loss=None, blur_skip=BLUR_SKIP))
    export_stages(model, tmp_path / 'model', size=(16, 24), dynamic=True)
    assert check_stages(tmp_path / 'model', model) < 1e-5
    for options in (dict(tile=16, batch_size=3), dict(tile=24), dict(tile=64)):
        expected = CrackInferencer(model, overlap=4, **options)(photo)
        found = CrackInferencer.from_onnx(tmp_path / 'model', overlap=4, **options)(photo)
        if options['tile'] < 24:
            np.testing.assert_allclose(found.probability, expected.probability, atol=1e-4)
        assert found.probability.shape == expected.probability.shape
    assert torch.is_grad_enabled()
