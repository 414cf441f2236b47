"""ONNX files against the torch models that they come from."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.onnx_models import TINY, build, needs_onnx
from mmengine.config import Config
from mmengine.runner import save_checkpoint
from PIL import Image
from torch import nn

import csbsr_mm  # noqa: F401
from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.onnx.export import MatrixPool, check_onnx, export_onnx

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize('bins', [1, 2, 3, 6, (3, 5)])
@pytest.mark.parametrize('size', [(56, 56), (7, 13), (6, 40)])
def test_matrix_pool_is_adaptive_pooling(bins, size):
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    assert torch.allclose(MatrixPool(bins)(x), nn.AdaptiveAvgPool2d(bins)(x), atol=1e-12)


@pytest.fixture(scope='module')
def fixed(tmp_path_factory):
    """A graph for two 16x16 images at a time of a tiny CSBSR model, and the model."""
    needs_onnx()
    folder = tmp_path_factory.mktemp('onnx')
    config = Config(dict(model=tiny_csbsr(sr=TINY, sr_loss=None), default_scope='mmseg'))
    config.dump(folder / 'tiny.py')
    model = build(config.model)
    for name, parameter in model.sr.features.named_parameters():
        if name.endswith('bias'):
            parameter.data.zero_()
    exported = export_onnx(model, folder / 'tiny.onnx', size=(16, 16), batch_size=2)
    return folder, model, exported


def test_graph_equals_torch(fixed):
    folder, _, exported = fixed
    assert exported.output_names == ['sr_image', 'probability', 'blur_kernel']
    assert check_onnx(folder / 'tiny.onnx', exported, [(2, 3, 16, 16)]) < 1e-5


def test_inferencer_runs_the_file(fixed):
    """The file gives what the model gives tile by tile, the last batch included, which is not full."""
    folder, model, _ = fixed
    image = np.random.default_rng(0).integers(0, 256, (16, 39, 3), np.uint8)
    expected = CrackInferencer(model, per_tile=True, tile=16, overlap=4)(image)
    found = CrackInferencer.from_onnx(folder / 'tiny.onnx', overlap=4)(image)
    assert found.tiles == 3
    assert np.allclose(found.probability, expected.probability, atol=1e-4)
    assert np.allclose(found.sr_image, expected.sr_image, atol=1e-4)
    assert np.allclose(found.blur_kernel, expected.blur_kernel, atol=1e-4)
    assert found.threshold == expected.threshold
    assert CrackInferencer.from_onnx(folder / 'tiny.onnx')(image[:5, :7]).probability.shape == (20, 28)


def test_no_kernel_in_a_black_tile(fixed):
    """Without biases the first estimate for a black tile is zero; the file must treat it as torch does."""
    folder, model, _ = fixed
    image = np.zeros((16, 16, 3), np.uint8)
    expected = CrackInferencer(model)(image)
    found = CrackInferencer.from_onnx(folder / 'tiny.onnx')(image)
    assert found.blur_kernel.sum() == pytest.approx(1)
    assert np.allclose(found.blur_kernel, expected.blur_kernel, atol=1e-5)
    assert np.allclose(found.probability, expected.probability, atol=1e-4)


def test_predict_runs_the_file(fixed, tmp_path):
    folder, _, _ = fixed
    image = np.random.default_rng(0).integers(0, 256, (20, 21, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / 'a.png')
    arguments = [folder / 'tiny.py', folder / 'tiny.onnx', tmp_path / 'a.png', '--out-dir', tmp_path / 'out']
    assert main(['predict', *map(str, arguments), '--overlap', '4']) == 0
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['photos'][0]['tiles'] == 4


@pytest.mark.parametrize('rgb', [True, False])
def test_fixed_graph_by_the_tool(rgb, tmp_path, capsys):
    """A stock segmentor of MMSegmentation with its own normalisation, exported and checked."""
    needs_onnx()
    preprocessor = dict(
        type='SegDataPreProcessor', mean=[120.0, 110, 100], std=[50.0, 60, 70], bgr_to_rgb=True
    )
    config = Config(dict(model={**tiny_unet(), 'data_preprocessor': preprocessor}, default_scope='mmseg'))
    config.dump(tmp_path / 'unet.py')
    model = build(config.model)
    save_checkpoint(dict(state_dict=model.state_dict(), meta={}), str(tmp_path / 'unet.pth'))
    arguments = [tmp_path / 'unet.py', tmp_path / 'unet.pth', tmp_path / 'unet.onnx']
    assert main(['export', *map(str, arguments), '--size', '32', '32', '--batch-size', '2', '--check']) == 0
    assert 'onnxruntime and torch are equal' in capsys.readouterr().out

    image = np.random.default_rng(0).integers(0, 256, (32, 90, 3), np.uint8)
    infer = CrackInferencer.from_onnx(tmp_path / 'unet.onnx', overlap=8)
    assert (infer.tile, infer.batch_size) == (32, 2)
    expected = CrackInferencer(model, tile=32, overlap=8)(image)
    assert np.allclose(infer(image).probability, expected.probability, atol=1e-4)
    with pytest.raises(ValueError, match='takes 2 tiles of 32x32 at a time, got 2 of 32x64'):
        CrackInferencer.from_onnx(tmp_path / 'unet.onnx', tile=64)(image)


def test_files_that_are_none(tmp_path):
    needs_onnx()
    (tmp_path / 'text.onnx').write_text('no graph')
    with pytest.raises(ValueError, match=r'text\.onnx is no ONNX model'):
        CrackInferencer.from_onnx(tmp_path / 'text.onnx')
    with pytest.raises(FileNotFoundError, match=r'missing\.onnx does not exist'):
        CrackInferencer.from_onnx(tmp_path / 'missing.onnx')


def test_sizes_that_a_dynamic_graph_cannot_have(tmp_path):
    needs_onnx()
    with pytest.raises(ValueError, match=r'multiples of 8, got \(15, 16\)'):
        export_onnx(build(tiny_csbsr(sr_loss=None)), tmp_path / 'a.onnx', size=(15, 16), dynamic=True)


def test_without_the_packages(tmp_path, monkeypatch):
    monkeypatch.setattr('csbsr_mm._extras.importlib.util.find_spec', lambda name: None)
    (tmp_path / 'a.onnx').touch()
    with pytest.raises(ImportError, match=r"ONNX needs onnxruntime.*pip install 'csbsr_mm\[onnx\]'"):
        CrackInferencer.from_onnx(tmp_path / 'a.onnx')


@pytest.mark.slow
@pytest.mark.parametrize('network', ['pspnet', 'unet', 'ocr'])
def test_networks_of_the_paper(network, tmp_path):
    """KBPN with each segmentation network: two sizes, two batch sizes."""
    needs_onnx()
    config = Config.fromfile(ROOT / f'configs/csbsr/kbpn_{network}_khanhha.py').model
    config.sr.update(num_stages=2, channels=8)
    _drop_initialisation(config)
    model = build(config)
    exported = export_onnx(model, tmp_path / 'a.onnx', size=(32, 40), dynamic=True)
    shapes = [(1, 3, 32, 40), (2, 3, 32, 40), (1, 3, 56, 48), (2, 3, 56, 48)]
    assert check_onnx(tmp_path / 'a.onnx', exported, shapes) < 1e-4


@pytest.mark.slow
def test_dynamic_graph_in_the_inferencer(tmp_path):
    """Tiles of any size are padded to what the graph takes."""
    needs_onnx()
    model = build(tiny_csbsr(sr=TINY, sr_loss=None))
    exported = export_onnx(model, tmp_path / 'a.onnx', size=(16, 24), dynamic=True)
    shapes = [(2, 3, 16, 24), (1, 3, 16, 24), (3, 3, 40, 8), (1, 3, 8, 8)]
    assert check_onnx(tmp_path / 'a.onnx', exported, shapes) < 1e-5
    image = np.random.default_rng(0).integers(0, 256, (30, 45, 3), np.uint8)
    for tile in (16, 24):
        expected = CrackInferencer(model, per_tile=True, tile=tile, overlap=4)(image)
        found = CrackInferencer.from_onnx(tmp_path / 'a.onnx', tile=tile, overlap=4, batch_size=3)(image)
        assert np.allclose(found.probability, expected.probability, atol=1e-4)
    assert CrackInferencer.from_onnx(tmp_path / 'a.onnx', tile=16)(image[:5, :7]).probability.shape == (
        20,
        28,
    )


def _drop_initialisation(config):
    if isinstance(config, dict):
        config.pop('init_cfg', None)
    for child in config.values() if isinstance(config, dict) else config:
        if isinstance(child, dict | list | tuple):
            _drop_initialisation(child)
