"""Model files: from a training run to a model without a config, and what is refused."""

import hashlib
import json

import numpy as np
import pytest
import torch
from helpers.models import tiny_csbsr
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmseg.registry import MODELS
from PIL import Image

from csbsr_mm.apis import CrackInferencer, load_weights
from csbsr_mm.cli import main
from csbsr_mm.weights import TensorFileError, library, list_weights, open_weights, read_tensors, write_tensors
from csbsr_mm.weights.export import export_weights


@pytest.fixture
def run(tmp_path):
    """Config and checkpoint of a tiny model whose weights are not those of a fresh one."""
    config = Config(dict(model=tiny_csbsr(threshold=0.4), default_scope='mmseg'))
    config.dump(tmp_path / 'tiny.py')
    init_default_scope('mmseg')
    network = MODELS.build(ConfigDict(config.model))
    generator = torch.Generator().manual_seed(3)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    meta = dict(dataset_meta=dict(classes=('background', 'crack')), seed=5, iter=80)
    save_checkpoint(dict(state_dict=network.state_dict(), meta=meta), str(tmp_path / 'tiny.pth'))
    return Config.fromfile(tmp_path / 'tiny.py'), tmp_path / 'tiny.pth'


@pytest.fixture
def on_board(tmp_path, run, monkeypatch):
    """The tiny model in the place of the weights on board."""
    monkeypatch.setattr(library, 'FOLDER', tmp_path)
    return export_weights(*run, tmp_path / 'rendered.safetensors', card=dict(summary='a tiny model'))


def photo():
    return np.random.default_rng(0).integers(0, 256, (14, 21, 3), np.uint8)


def test_single_precision_is_the_same_model(run, tmp_path):
    file = export_weights(*run, tmp_path / 'a.safetensors', half=False)
    expected = CrackInferencer.from_config(*run, 'cpu', tile=12, overlap=4)(photo())
    result = CrackInferencer.from_weights(file.path, 'cpu', tile=12, overlap=4)(photo())
    assert np.array_equal(result.probability, expected.probability)
    assert np.array_equal(result.sr_image, expected.sr_image)
    assert np.array_equal(result.blur_kernel, expected.blur_kernel)


def test_half_precision_is_nearly_the_same_model_at_half_the_size(run, tmp_path):
    whole, half = (
        export_weights(*run, tmp_path / f'{n}.safetensors', half=n == 'half') for n in ('x', 'half')
    )
    assert {value.dtype for value in half.read().values() if value.ndim > 1} == {torch.float16}
    assert {value.dtype for value in half.read().values() if value.ndim == 1} == {torch.float32}
    stored = [sum(v.nbytes for v in file.read().values()) for file in (whole, half)]
    assert stored[1] < 0.6 * stored[0]
    results = [CrackInferencer.from_weights(file.path, 'cpu')(photo()) for file in (whole, half)]
    assert np.abs(results[0].probability - results[1].probability).max() < 0.01


def test_the_threshold_travels_with_the_model(run, tmp_path):
    kept = export_weights(*run, tmp_path / 'kept.safetensors')
    chosen = export_weights(*run, tmp_path / 'chosen.safetensors', threshold=0.25)
    assert load_weights(kept.path).threshold == 0.4
    assert CrackInferencer.from_weights(chosen.path, 'cpu').threshold == 0.25


def test_what_is_known_about_the_run(on_board, run):
    lineage = json.loads(on_board.metadata['lineage'])
    assert lineage['config'] == run[0].pretty_text
    assert (lineage['seed'], lineage['iterations']) == (5, 80)
    assert lineage['versions']['torch'] == torch.__version__
    assert load_weights().dataset_meta['classes'] == ['background', 'crack']


def test_without_arguments(on_board):
    result = CrackInferencer()(photo())
    assert result.mask.shape == (56, 84)
    assert list_weights() == {'rendered': on_board}


def test_from_photos_to_report_without_a_config(on_board, tmp_path):
    Image.fromarray(photo()).save(tmp_path / 'p.png')
    for words in ([], ['--weights', str(on_board.path)]):
        out = tmp_path / f'out{len(words)}'
        assert (
            main(['predict', str(tmp_path / 'p.png'), '--out-dir', str(out), '--device', 'cpu', *words]) == 0
        )
        record = json.loads((out / 'records' / 'p.json').read_text())
        assert record['status'] == 'ok'
        assert (out / 'index.html').is_file()


def test_one_model_at_a_time(on_board, run, tmp_path, capsys):
    out = ['--out-dir', str(tmp_path / 'out')]
    config = str(tmp_path / 'tiny.py')
    assert main(['predict', config, str(run[1]), 'photos', '--weights', 'rendered', *out]) == 2
    assert 'are two models' in capsys.readouterr().err
    assert main(['predict', config, 'photos', *out]) == 2
    assert 'after it come its checkpoint and the photos' in capsys.readouterr().err
    assert main(['predict', 'photos', *out, '--cfg-options', 'model.threshold=0.3']) == 2
    assert 'none is given' in capsys.readouterr().err


def test_command_lists_shows_and_exports(on_board, run, tmp_path, capsys):
    assert main(['weights']) == 0
    assert 'rendered (0.2 MB)\n  a tiny model' in capsys.readouterr().out
    assert main(['weights', 'show', 'rendered']) == 0
    assert json.loads(capsys.readouterr().out)['lineage']['seed'] == 5
    assert main(['weights', 'show', 'rendered', '--config']) == 0
    assert capsys.readouterr().out == run[0].pretty_text
    words = [str(tmp_path / 'tiny.py'), str(run[1]), str(tmp_path / 'mine.safetensors')]
    assert main(['weights', 'export', *words, '--threshold', '0.3']) == 0
    assert load_weights(tmp_path / 'mine.safetensors').threshold == 0.3


def test_changed_weights_are_refused(on_board):
    weights, metadata = read_tensors(on_board.path)
    name = next(iter(weights))
    weights[name] = weights[name] + 1
    write_tensors(on_board.path, weights, metadata)
    with pytest.raises(TensorFileError, match='not as written'):
        load_weights()


def test_other_safetensors_files_are_refused(tmp_path):
    write_tensors(tmp_path / 'x.safetensors', dict(weight=torch.ones(2)), dict(format='pt'))
    with pytest.raises(TensorFileError, match="format 'pt'"):
        open_weights(tmp_path / 'x.safetensors')


def test_unknown_names(on_board):
    for name in ('rendred', '../rendered', 'missing/file.safetensors'):
        with pytest.raises(FileNotFoundError, match='on board: rendered'):
            open_weights(name)


def test_a_url_needs_its_checksum(on_board, monkeypatch):
    url = 'https://example.org/rendered.safetensors'
    monkeypatch.setattr('csbsr_mm.engine.checkpoint.download.downloaded', lambda url: str(on_board.path))
    right = hashlib.sha256(on_board.path.read_bytes()).hexdigest()
    assert open_weights(f'{url}#sha256={right}').metadata == on_board.metadata
    with pytest.raises(TensorFileError, match='remove it'):
        open_weights(f'{url}#sha256={"0" * 64}')
    with pytest.raises(ValueError, match='needs the checksum'):
        open_weights(url)


def test_what_cannot_be_exported(run, tmp_path):
    with pytest.raises(ValueError, match=r'NAME\.safetensors'):
        export_weights(*run, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='got 1'):
        export_weights(*run, tmp_path / 'a.safetensors', threshold=1.5)
    other = Config(dict(model=tiny_csbsr(sr=dict(type='BicubicUpsampler'), sr_loss=None)))
    with pytest.raises(RuntimeError, match='does not fit'):
        export_weights(other, run[1], tmp_path / 'a.safetensors')
