"""The comparison of runs, on a test set of which it is known what each run finds."""

import copy

import matplotlib.image
import numpy as np
import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from helpers.tools import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmseg.registry import DATASETS, MODELS
from PIL import Image

from csbsr_mm.apis.comparison import RunComparison, RunModel, iou

PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BlindDegradation', only_dataset_images=True),
    dict(type='PackBlindSRInputs'),
]


@pytest.fixture(scope='module')
def tool():
    return load_tool('analysis_tools/compare')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Six photos with cracks of growing size, one without, and two models with their configs."""
    root = tmp_path_factory.mktemp('compare')
    rng = np.random.default_rng(0)
    for kind in ('images', 'masks'):
        (root / kind).mkdir()
    for number in range(4):
        mask = np.zeros((40, 56), np.uint8)
        mask[: 10 * number] = 255
        Image.fromarray(rng.integers(0, 256, (40, 56, 3), np.uint8)).save(root / 'images' / f'{number}.png')
        Image.fromarray(mask).save(root / 'masks' / f'{number}.png')
    dataset = dict(type='CrackDataset', data_root=str(root), test_mode=True, pipeline=PIPELINE,
                   data_prefix=dict(img_path='images', seg_map_path='masks'))  # fmt: skip
    stock = {**tiny_unet(), 'data_preprocessor': dict(type='SegDataPreProcessor', bgr_to_rgb=True)}
    init_default_scope('mmseg')
    for name, model in (('csbsr', tiny_csbsr(sr_loss=None)), ('stock', stock)):
        config = Config(dict(model=model, default_scope='mmseg', test_dataloader=dict(dataset=dataset)))
        config.dump(root / f'{name}.py')
        torch.manual_seed(0)
        network = MODELS.build(config.model)
        network.init_weights()
        save_checkpoint(dict(state_dict=network.state_dict(), meta={}), str(root / f'{name}.pth'))
    return root


class Constant(torch.nn.Module):
    """Finds a crack on the upper rows of every photo."""

    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def test_step(self, data):
        from mmengine.structures import PixelData

        sample = data['data_samples'][0]
        mask = torch.zeros(1, 40, 56)
        mask[:, : self.rows] = 1
        sample.pred_sem_seg = PixelData(data=mask.long())
        return [sample]


def test_scores_are_those_of_the_masks(folder):
    dataset = DATASETS.build(Config.fromfile(folder / 'csbsr.py').test_dataloader.dataset)
    runs = [RunModel('twenty', Constant(20), dataset), RunModel('none', Constant(0), dataset)]
    comparison = RunComparison(runs)
    clear, *cracked = comparison.scores()
    assert (clear.is_clear, clear.false_alarms, clear.spread) == (True, dict(twenty=20 * 56, none=0), 1.0)
    assert [score.spread for score in cracked] == pytest.approx([1 / 2, 1, 2 / 3])
    assert not any(score.is_clear or any(score.false_alarms.values()) for score in cracked)
    photo = comparison.photo(2)
    assert [run.note for run in photo.runs.values()] == ['IoU 1.00', 'IoU 0.00']
    assert photo.lr_image.shape == (10, 14, 3)
    assert np.array_equal(np.rint(255 * photo.hr_image), np.asarray(Image.open(folder / 'images' / '2.png')))


def test_every_run_gets_the_images_of_its_own_pipeline(folder):
    """A run without degradation sees the HR photo; the others see the LR one."""
    config = Config.fromfile(folder / 'csbsr.py').test_dataloader.dataset
    whole = copy.deepcopy(config)
    whole.pipeline = [step for step in whole.pipeline if step.type != 'BlindDegradation']
    seen = {}

    class Noting(Constant):
        def test_step(self, data):
            seen[self.rows] = tuple(data['inputs'][0].shape[-2:])
            return super().test_step(data)

    datasets = [DATASETS.build(config), DATASETS.build(whole)]
    runs = [
        RunModel(str(rows), Noting(rows), dataset) for rows, dataset in zip((1, 2), datasets, strict=True)
    ]
    photo = RunComparison(runs).photo(1)
    assert seen == {1: (10, 14), 2: (40, 56)}
    hr_image = np.asarray(Image.open(folder / 'images' / '1.png'))
    assert photo.lr_image.shape == (10, 14, 3)
    assert np.array_equal(np.rint(255 * photo.hr_image), hr_image)
    alone = RunComparison(runs[1:]).photo(1)
    assert np.array_equal(np.rint(255 * alone.hr_image), hr_image)


def test_other_photos_are_refused(folder):
    dataset = DATASETS.build(Config.fromfile(folder / 'csbsr.py').test_dataloader.dataset)
    runs = [RunModel('a', Constant(1), dataset), RunModel('b', Constant(1), [dataset[1], *range(3)])]
    with pytest.raises(ValueError, match=r"image 0 .* not the same photo: \{'a': '0.png', 'b': '1.png'\}"):
        RunComparison(runs).photo(0)
    with pytest.raises(ValueError, match=r"they hold \{'a': 4, 'b': 1\} images"):
        RunComparison([runs[0], RunModel('b', Constant(1), [dataset[0]])])


def test_unknown_pixels_do_not_count():
    target = np.array([[1, 255, 0]])
    assert iou(np.array([[True, True, False]]), target) == 1
    assert iou(np.array([[False, True, False]]), target) == 0
    assert iou(np.zeros((1, 3), bool), np.zeros((1, 3), int)) == 1


@pytest.mark.parametrize(
    'choice',
    [
        ['--indices', '1', '3'],
        ['--different', '2', '--clear', '1'],
        ['--different', '1', '--reference', 'stock'],
    ],
)
def test_command_draws_models_with_and_without_sr(tool, folder, tmp_path, choice):
    runs = [part for name in ('csbsr', 'stock') for part in
            ('--run', name, str(folder / f'{name}.py'), str(folder / f'{name}.pth'))]  # fmt: skip
    assert tool.main([str(tmp_path / 'a.png'), *runs, *choice, '--device', 'cpu']) == 0
    assert min(matplotlib.image.imread(tmp_path / 'a.png').shape[:2]) > 300


def test_wrong_usage(tool, folder, tmp_path, capsys):
    run = ['--run', 'a', str(folder / 'csbsr.py'), str(folder / 'csbsr.pth')]
    for arguments, message in (
        ([*run, '--indices', '9'], 'the test set has images 0 to 3, not [9]'),
        ([*run, *run], "runs need different names, got ['a', 'a']"),
        ([*run, '--better', 'a', 'hr'], 'no run is called hr; there are a'),
        ([*run, '--better', 'a', 'a'], 'a beats a on none of 4 images'),
        (['--run', 'a', 'missing.py', 'missing.pth'], 'missing.py does not exist'),
    ):
        assert tool.main([str(tmp_path / 'a.png'), *arguments, '--device', 'cpu']) == 2
        assert message in capsys.readouterr().err
