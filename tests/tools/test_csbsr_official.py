"""Published checkpoints, converted and run: the outputs are the authors' own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import published_models
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.apis import init_model
from mmseg.registry import MODELS

from csbsr_mm.apis.official_checkpoint import convert_file
from csbsr_mm.cli import main
from csbsr_mm.models.official_checkpoints import clean_names, convert, recognise

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'

# Published model -> config that it is recognised as.
EXPECTED = {
    'kbpn7_pspnet': 'kbpn_pspnet',
    'kbpn7_pspnet_blurskip': 'kbpn_pspnet_blurskip',
    'kbpn7_unet16': 'kbpn_unet',
    'kbpn7_hrnet_ocr': 'kbpn_ocr',
    'kbpn7_crackformer': 'kbpn_crackformer',
    'kbpn21_pspnet': 'kbpn_pspnet',
    'dbpn_pspnet': 'dbpn_pspnet',
    'srcnet_segnet': 'comparison/srcnet_segnet',
    'dsrl': 'comparison/dsrl',
    'dsrl_x4': 'comparison/dsrl_x4',
}
# Their figures are tested in tests/models/segmentors.
BASELINES = ('srcnet_segnet', 'dsrl', 'dsrl_x4')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def load_config(name: str) -> Config:
    cfg = Config.fromfile(CONFIGS / f'csbsr/{EXPECTED[name]}_khanhha.py')
    if name.startswith('kbpn21'):
        cfg.merge_from_dict({'model.sr.estimated_kernel_size': 21})
    return cfg


def check_outputs(name: str, model: torch.nn.Module) -> None:
    with torch.no_grad():
        outputs = model.double().eval()(published_models.lr_images(), mode='tensor')
    np.testing.assert_allclose(outputs.sr_image.numpy(), published_models.sr_images(name), atol=1e-5)
    kernels = published_models.blur_kernels(name)
    if kernels is None:
        assert outputs.blur_kernel is None
    else:
        np.testing.assert_allclose(outputs.blur_kernel.numpy(), kernels, atol=1e-5)
    probabilities = published_models.crack_probabilities(name)
    np.testing.assert_allclose(outputs.seg_logits.sigmoid().numpy(), probabilities, atol=1e-5)


@pytest.mark.parametrize(
    'name',
    [
        pytest.param(name, marks=() if name == 'dbpn_pspnet' else pytest.mark.slow)
        for name in EXPECTED
        if name not in BASELINES
    ],
)  # fmt: skip
def test_file_to_outputs(name: str, tmp_path: Path) -> None:
    """From the published file through the command to MMSegmentation's ``init_model``."""
    source, target = tmp_path / 'SRC.pth', tmp_path / 'DST.pth'
    published = published_models.published_state(name)
    torch.save({'model': {f'module.{key}': value for key, value in published.items()}}, source)

    assert main(['convert-checkpoint', str(source), str(target)]) == 0

    model = init_model(load_config(name), str(target), device='cpu')
    checkpoint = torch.load(target)
    source.unlink(), target.unlink()  # pytest would keep hundreds of megabytes
    model.load_state_dict(checkpoint['state_dict'], strict=True)
    assert model.dataset_meta == checkpoint['meta']['dataset_meta']
    assert checkpoint['meta']['origin']['file'] == 'SRC.pth'
    check_outputs(name, model)


def test_file_of_a_baseline_to_a_model(tmp_path: Path) -> None:
    """From the file through the command to ``mode='predict'``."""
    source, target = tmp_path / 'SRC.pth', tmp_path / 'DST.pth'
    torch.save({'model': published_models.published_state('dsrl')}, source)
    assert main(['convert-checkpoint', str(source), str(target)]) == 0
    model = init_model(load_config('dsrl'), str(target), device='cpu')
    source.unlink(), target.unlink()
    with torch.no_grad():
        samples = model.double()(published_models.lr_images(), mode='predict')
    expected = published_models.baselines()['dsrl_seg']
    found = np.stack([sample.seg_prob.data for sample in samples])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert samples[0].sr_img.data.shape == (3, 64, 96)


class PublishedSR(torch.nn.Module):
    """The published SR images and kernels, in the place of the network that gives them."""

    scale, kernel_size = 4, 21

    def forward(self, lr: torch.Tensor, blur_kernel: None = None) -> tuple[torch.Tensor, torch.Tensor]:
        name = 'kbpn7_pspnet_blurskip'
        return torch.from_numpy(published_models.sr_images(name)), torch.from_numpy(
            published_models.blur_kernels(name)
        )


def test_blur_skip_of_the_published_network() -> None:
    name = 'kbpn7_pspnet_blurskip'
    model = MODELS.build(load_config(name).model)
    published = published_models.published_state(name)
    converted = convert(published, recognise(published), model)
    model.load_state_dict(converted.state, strict=True)
    assert len(converted.folded) == 3  # the convolutions in front of PSPNet's batch norms
    model.sr = PublishedSR()
    check_outputs(name, model)


@pytest.mark.parametrize('name', EXPECTED)
def test_recognition(name: str) -> None:
    state = {
        key: torch.empty(shape, device='meta') for key, shape in published_models.published_parameters(name)
    }
    official = recognise(state)
    assert official.config == f'configs/csbsr/{EXPECTED[name]}_khanhha.py'
    assert official.overrides == ({'model.sr.estimated_kernel_size': 21} if '21' in name else {})


@pytest.mark.parametrize('wrap', [
    lambda state: state,
    lambda state: {'state_dict': state, 'epoch': 3},
    lambda state: {'epoch': 3, 'checkpoint': {'model': {f'module.{k}': v for k, v in state.items()}}},
    lambda state: {k.replace('_model.', '_model.module.'): v for k, v in state.items()},
])  # fmt: skip
def test_nesting_and_prefixes(wrap) -> None:
    state = {'sr_model.feat0.conv.bias': torch.ones(2), 'segmentation_model.final.0.bias': torch.zeros(1)}
    assert clean_names(wrap(state)) == state


def tiny_publication() -> tuple[dict[str, torch.Tensor], torch.nn.Module]:
    """Names and shapes of a whole model without its memory."""
    name = 'dbpn_pspnet'
    state = {
        key: torch.empty(shape, device='meta') for key, shape in published_models.published_parameters(name)
    }
    with torch.device('meta'):
        model = MODELS.build(load_config(name).model)
    return state, model


def test_what_does_not_fit_is_named() -> None:
    state, model = tiny_publication()
    official = recognise(state)
    assert set(convert(state, official, model).state) == set(model.state_dict())

    changed = dict(state)
    del changed['sr_model.down2.conv.act.weight']
    changed['segmentation_model.extra.weight'] = torch.empty(3, device='meta')
    changed['loss.weight'] = torch.empty(3, device='meta')
    changed['sr_model.feat0.conv.bias'] = torch.empty(128, device='meta')
    with pytest.raises(KeyError) as error:
        convert(changed, official, model)
    for part in (
        '4 parameters do not fit configs/csbsr/dbpn_pspnet_khanhha.py',
        'missing sr.down.1.compress.act.weight',
        'unexpected segmentation_model.extra.weight',
        'unexpected loss.weight',
        'sr_model.feat0.conv.bias has shape (128,), sr.features.0.conv.bias needs (256,)',
    ):
        assert part in str(error.value)


def test_foreign_checkpoints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'no state dict with sr_model\.\.\.\. or parallel_model\.'):
        clean_names({'backbone.conv1.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match=r'unknown SR network .*sr_model.head.weight'):
        recognise({'sr_model.head.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match='unknown segmentation network'):
        recognise({'sr_model.up1.up_conv1.deconv.weight': torch.zeros(1)})
    with pytest.raises(FileNotFoundError, match=r'absent\.pth does not exist'):
        convert_file(tmp_path / 'absent.pth', tmp_path / 'DST.pth')
    torch.save({'sr_model.x': torch.zeros(1), 'config': Path('x')}, tmp_path / 'objects.pth')
    with pytest.raises(ValueError, match=r'holds more than weights.*--trust'):
        convert_file(tmp_path / 'objects.pth', tmp_path / 'DST.pth')
