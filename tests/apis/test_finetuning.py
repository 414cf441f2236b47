"""Fine-tuning: it helps where there is something to learn, and refuses where there is not."""

import json

import cv2
import numpy as np
import pytest
import torch
from helpers.models import TINY_KBPN, tiny_csbsr, tiny_unet
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from csbsr_mm.apis import CrackInferencer, load_weights
from csbsr_mm.apis.finetuning import Outcome, Schedule, cross_validate, finetune
from csbsr_mm.apis.labelled_photos import find_pairs, load_labelled_photos
from csbsr_mm.cli import main
from csbsr_mm.weights import open_weights
from csbsr_mm.weights.export import write_model_file

BICUBIC = dict(sr=dict(type='BicubicUpsampler'), sr_loss=None)
PREPROCESSOR = dict(type='BlindSRDataPreProcessor', scale=4, size_divisor=2)


def write_model(path, **changes):
    """A model file with random weights."""
    config = {**tiny_csbsr(**changes), 'sr_loss': None, 'data_preprocessor': PREPROCESSOR}
    init_default_scope('mmseg')
    torch.manual_seed(1)
    model = MODELS.build(ConfigDict(config))
    model.init_weights()
    # Bright is crack: the opposite of what the photos below show.
    model.segmentor.decode_head.conv_seg.weight.data *= -1
    return write_model_file(path, config, model.state_dict(), {}, {}, {})


def write_photos(folder, count=6, size=(26, 32), mask_scale=1, learnable=True):
    """Dark lines on bright walls; their masks, or masks that have nothing to do with them."""
    for kind in ('photos', 'masks'):
        (folder / kind).mkdir()
    for number in range(count):
        rng = np.random.default_rng(number)
        photo = rng.normal(180, 6, (*size, 3))
        line = np.zeros(size, np.uint8)
        row = int(rng.integers(4, size[0] - 4))
        cv2.line(line, (0, row), (size[1], int(rng.integers(4, size[0] - 4))), 255, 3)
        photo[line > 0] -= 100
        mask = line
        if not learnable:
            mask = np.zeros(size, np.uint8)
            mask[rng.integers(size[0]), rng.integers(size[1])] = 255
        if mask_scale > 1:
            mask = np.kron(mask, np.ones((mask_scale, mask_scale), np.uint8))
        cv2.imwrite(str(folder / 'photos' / f'{number}.png'), photo.clip(0, 255).astype(np.uint8))
        cv2.imwrite(str(folder / 'masks' / f'{number}.png'), mask)
    return folder / 'photos', folder / 'masks'


def prepared(tmp_path, window=160, model_changes=BICUBIC, **kwargs):
    file = write_model(tmp_path / 'start.safetensors', **model_changes)
    inferencer = CrackInferencer.from_weights(file.path, 'cpu')
    pairs = find_pairs(*write_photos(tmp_path, **kwargs))
    return inferencer.backend.model, list(load_labelled_photos(inferencer, pairs, window)), inferencer


def run(tmp_path, photos, masks, *words):
    out = ['--out', str(tmp_path / 'mine.safetensors'), '--json', str(tmp_path / 'figures.json')]
    begin = ['--weights', str(tmp_path / 'start.safetensors'), '--device', 'cpu']
    return main(['finetune', str(photos), str(masks), *out, *begin, *words])


def test_learns_from_six_photos(tmp_path):
    """And the file that it writes finds cracks in another photo better than the one it began with."""
    write_model(tmp_path / 'start.safetensors', **BICUBIC)
    options = ['--folds', '2', '--iterations', '30', '--learning-rate', '0.01']
    assert run(tmp_path, *write_photos(tmp_path), *options) == 0
    figures = json.loads((tmp_path / 'figures.json').read_text())
    assert np.mean(figures['after']) > np.mean(figures['before']) + 0.1
    new = tmp_path / 'new'
    new.mkdir()
    photos, masks = write_photos(new, count=9)
    overlap = []
    for name in ('start', 'mine'):
        infer = CrackInferencer.from_weights(tmp_path / f'{name}.safetensors', 'cpu')
        truth = np.kron(cv2.imread(str(masks / '8.png'), 0) > 127, np.ones((4, 4), bool))
        mask = infer(photos / '8.png').mask
        overlap.append((mask & truth).sum() / (mask | truth).sum())
    assert overlap[1] > overlap[0] + 0.1
    file = open_weights(tmp_path / 'mine.safetensors')
    assert json.loads(file.metadata['lineage'])['parent'] == 'start'
    assert load_weights(file.path).threshold == pytest.approx(figures['new_threshold'])


def test_refuses_what_does_not_help(tmp_path, capsys, monkeypatch):
    """A training that makes things worse is not written."""
    write_model(tmp_path / 'start.safetensors', **BICUBIC)
    worse = Outcome(list('abcd'), np.full(4, 0.5), np.full(4, 0.5), np.full(4, 0.4), 0.5, 0.5)
    monkeypatch.setattr('csbsr_mm.apis.finetuning_run.cross_validate', lambda *args: worse)
    assert run(tmp_path, *write_photos(tmp_path)) == 1
    assert 'nothing is written' in capsys.readouterr().out
    assert not (tmp_path / 'mine.safetensors').exists()


def test_nobody_is_judged_by_a_model_that_saw_him(tmp_path, monkeypatch):
    model, photos, _ = prepared(tmp_path, count=5)
    seen = []

    def remember(model, training, schedule):
        seen.append({photo.name for photo in training})
        return model

    monkeypatch.setattr('csbsr_mm.apis.finetuning.finetune', remember)
    outcome = cross_validate(model, photos, Schedule(), folds=5)
    assert sorted(len(names) for names in seen) == [4] * 5
    assert set.union(*({p.name for p in photos} - names for names in seen)) == {p.name for p in photos}
    assert np.array_equal(outcome.after, outcome.threshold_only)


@pytest.mark.parametrize(
    'changes', [BICUBIC, dict(blur_skip=dict(type='BlurSkipNeck', in_channels=4, kernel_size=5))]
)
def test_only_the_segmentor_learns(tmp_path, changes):
    model, photos, _ = prepared(tmp_path, model_changes=changes, count=4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tuned = finetune(model, photos, Schedule(iterations=2))
    changed = {name for name, value in tuned.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith(('segmentor.', 'blur_skip.')) for name in changed)
    assert not any('running_' in name for name in changed)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_same_seed_gives_the_same_weights(tmp_path):
    model, photos, _ = prepared(tmp_path, count=4)
    tuned = [finetune(model, photos, Schedule(iterations=3, seed=seed)).state_dict() for seed in (0, 0, 1)]
    name = 'segmentor.decode_head.conv_seg.weight'
    assert torch.equal(tuned[0][name], tuned[1][name])
    assert not torch.equal(tuned[0][name], tuned[2][name])


@pytest.mark.parametrize('mask_scale', [1, 4])
def test_masks_of_either_size(tmp_path, mask_scale):
    _, photos, _ = prepared(tmp_path, count=4, mask_scale=mask_scale)
    assert photos[0].sr_image.shape == (1, 3, 104, 128)
    assert photos[0].label.shape == (104, 128)
    drawn = cv2.imread(str(tmp_path / 'masks' / '0.png'), 0) > 127
    truth = drawn if mask_scale == 4 else np.kron(drawn, np.ones((4, 4), bool))
    differs = photos[0].label.numpy() != truth
    assert differs.mean() < (0.03 if mask_scale == 1 else 1e-9)


def test_the_window_with_most_crack(tmp_path):
    model_file = write_model(tmp_path / 'start.safetensors', sr=TINY_KBPN)
    for kind in ('photos', 'masks'):
        (tmp_path / kind).mkdir()
    mask = np.zeros((40, 51), np.uint8)
    mask[23:27, 33:45] = 255
    mask[2:4, 2:6] = 255
    cv2.imwrite(str(tmp_path / 'photos' / 'a.png'), np.full((40, 51, 3), 90, np.uint8))
    cv2.imwrite(str(tmp_path / 'masks' / 'a.png'), mask)
    inferencer = CrackInferencer.from_weights(model_file.path, 'cpu')
    pairs = find_pairs(tmp_path / 'photos', tmp_path / 'masks')
    (photo,) = load_labelled_photos(inferencer, pairs, window=15)
    assert photo.label.shape == (56, 56)  # 14 photo pixels: the network takes even sides
    assert photo.label.sum() == pytest.approx(16 * 4 * 12, rel=0.03)
    assert photo.blur_kernel.shape == (1, 1, 5, 5)


def test_the_choice():
    def outcome(before, threshold_only, after):
        values = (np.array(v, float) for v in (before, threshold_only, after))
        return Outcome(list('abcd'), *values, 0.3, 0.4).choice

    assert outcome([0.5] * 4, [0.5] * 4, [0.6] * 4) == 'weights'
    assert outcome([0.5] * 4, [0.7] * 4, [0.6] * 4) == 'threshold'
    assert outcome([0.5] * 4, [0.4] * 4, [0.4] * 4) == 'nothing'
    assert outcome([0.5] * 4, [0.5] * 4, [0.9, 0.4, 0.4, 0.4]) == 'nothing'  # better on one photo alone


def test_wrong_usage(tmp_path, capsys):
    write_model(tmp_path / 'start.safetensors', **BICUBIC)
    photos, masks = write_photos(tmp_path, count=3)
    assert run(tmp_path, photos, masks) == 2
    assert '3 photos are too few' in capsys.readouterr().err
    (masks / '1.png').unlink()
    assert run(tmp_path, photos, masks) == 2
    assert '1.png' in capsys.readouterr().err
    cv2.imwrite(str(masks / '1.png'), np.zeros((9, 9), np.uint8))
    assert run(tmp_path, photos, masks) == 2
    assert 'is 9x9, its photo 26x32' in capsys.readouterr().err
    assert run(tmp_path, photos, tmp_path / 'nowhere') == 2
    assert 'no folder of masks' in capsys.readouterr().err
    assert run(tmp_path, photos, masks, '--out', 'mine.pth') == 2
    assert 'NAME.safetensors' in capsys.readouterr().err


def test_a_plain_segmentor_is_refused(tmp_path, capsys):
    segmentor = {**tiny_unet(), 'data_preprocessor': dict(type='SegDataPreProcessor', size=(8, 8))}
    model = MODELS.build(ConfigDict(segmentor))
    write_model_file(tmp_path / 'start.safetensors', segmentor, model.state_dict(), {}, {}, {})
    assert run(tmp_path, *write_photos(tmp_path)) == 2
    assert 'expected a BlindSRSegmentor' in capsys.readouterr().err
