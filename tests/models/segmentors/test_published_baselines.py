"""SrcNet with SegNet and DSRL against the outputs, losses and gradients of the authors' code."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import published_models
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from csbsr_mm.models.losses import FeatureAffinityLoss
from csbsr_mm.models.official_checkpoints import convert, recognise
from csbsr_mm.models.official_checkpoints.rules import rename
from csbsr_mm.models.utils.image_normalization import ImageNormalization

ROOT = Path(__file__).parents[3]
FIGURES = published_models.baselines()
DICE = dict(type='BoundaryComboLoss', alpha=0.0, gamma=0.0)
# Figures are stored as float32.
STORED = dict(rtol=0, atol=1e-7)


def converted(name, seed=0, live=False, **changes):
    """A published checkpoint in the model of the config that it is recognised as; float64, evaluation.

    Also gives our name of each published parameter.
    """
    init_default_scope('mmseg')
    state = published_models.published_state(name, seed=seed, live=live)
    official = recognise(state)
    config = Config.fromfile(ROOT / official.config)
    config.merge_from_dict(changes)
    model = MODELS.build(config.model)
    model.load_state_dict(convert(state, official, model).state, strict=True)
    names = {}
    for (theirs, ours), rules in official.rules.items():
        part = {key.removeprefix(theirs): value for key, value in state.items() if key.startswith(theirs)}
        names |= {theirs + old: ours + new for new, old in rename(part, rules).origin.items()}
    return model.double().eval(), names


def images(seed, shape):
    return torch.from_numpy(np.random.default_rng(seed).random(shape))


def joint_batch():
    """LR images, and samples with HR image and mask, of the figures of losses."""
    hr_images = torch.from_numpy(FIGURES['joint_hr_uint8'] / 255)
    masks = torch.from_numpy(FIGURES['joint_mask'].astype(np.int64))
    samples = [
        SegDataSample(gt_hr_img=PixelData(data=image), gt_sem_seg=PixelData(data=mask))
        for image, mask in zip(hr_images, masks, strict=True)
    ]
    return published_models.lr_images(), samples


def check_gradients(name, model, names):
    parameters = dict(model.named_parameters())
    published = zip(FIGURES[f'joint_{name}_grad_names'], FIGURES[f'joint_{name}_grad_norms'], strict=True)
    for parameter, norm in published:
        assert parameters[names[parameter]].grad.norm().item() == pytest.approx(norm, rel=1e-11), parameter


@pytest.fixture(scope='module')
def live():
    return converted('srcnet_segnet', live=True)[0]


def test_srcnet_and_segnet():
    model, _ = converted('srcnet_segnet')
    lr_images = published_models.lr_images()
    with torch.no_grad():
        outputs, (sr_images, _) = model(lr_images, mode='tensor'), model.sr(lr_images)
    np.testing.assert_allclose(sr_images[..., ::2, ::2], FIGURES['srcnet_segnet_sr_unclipped_sub'], **STORED)
    np.testing.assert_allclose(outputs.seg_logits.sigmoid(), FIGURES['srcnet_segnet_seg'], **STORED)


@pytest.mark.parametrize(
    ('mode', 'figure', 'count'), [('instance', 'seg', 2), ('dataset', 'seg_all', 1), (None, 'seg_none', 1)]
)
def test_srcnet_and_segnet_when_every_parameter_shows(live, mode, figure, count):
    live.normalize = ImageNormalization(mode).double()
    lr_images = published_models.lr_images()[:count]
    with torch.no_grad():
        outputs, (sr_images, _) = live(lr_images, mode='tensor'), live.sr(lr_images)
    np.testing.assert_allclose(
        sr_images[..., ::2, ::2], FIGURES['srcnet_segnet_live_sr_unclipped_sub'][:count], **STORED
    )
    # The statistics of 'dataset' are float32 numbers here.
    tolerance = dict(rtol=0, atol=1e-6) if mode == 'dataset' else STORED
    np.testing.assert_allclose(
        outputs.seg_logits.sigmoid(), FIGURES[f'srcnet_segnet_live_{figure}'], **tolerance
    )


def test_sides_that_are_no_multiples_of_32(live):
    live.normalize = ImageNormalization('instance')
    with torch.no_grad():
        (sample,) = live(images(2, (1, 3, 9, 11)), mode='predict')
    np.testing.assert_allclose(sample.sr_img.data[None], FIGURES['srcnet_segnet_live_odd_sr'], **STORED)
    np.testing.assert_allclose(sample.seg_prob.data[None], FIGURES['srcnet_segnet_live_odd_seg'], **STORED)


def test_parameters_of_srcnet_and_segnet(live):
    assert sum(p.numel() for p in live.sr.parameters()) == 17_073_347
    # Without the two of a batch norm that the released SegNet has and never uses.
    assert sum(p.numel() for p in live.segmentor.parameters()) == 29_443_587 - 2


@pytest.mark.slow
def test_losses_and_gradients_of_srcnet_and_segnet():
    model, names = converted(
        'srcnet_segnet',
        live=True,
        **{'model.segmentor.decode_head.loss_decode': dict(_delete_=True, **DICE), 'model.task_weight': 0.5},
    )
    model.set_task_weight(0.5)
    total, terms = model.train().parse_losses(model.loss(*joint_batch()))
    total.backward()
    figures = {key: FIGURES[f'joint_srcnet_segnet_live_{key}'] for key in ('sr_l1', 'seg_dice', 'total')}
    assert total.item() == pytest.approx(figures['total'], rel=1e-13)
    assert terms['sr.loss_hr_image'].item() == pytest.approx(0.5 * figures['sr_l1'].mean(), rel=1e-13)
    assert terms['decode.loss_bc'].item() == pytest.approx(0.5 * figures['seg_dice'].mean(), rel=1e-13)
    check_gradients('srcnet_segnet_live', model, names)


VARIANTS = {'dsrl': 60_485_072, 'dsrl_x4': 60_579_472}


@pytest.fixture(scope='module', params=VARIANTS)
def dsrl(request):
    return request.param, converted(request.param)[0]


def test_dsrl(dsrl):
    name, model = dsrl
    with torch.no_grad():
        outputs = model(published_models.lr_images(), mode='tensor')
    unclipped = FIGURES[f'{name}_sr_unclipped_sub']
    np.testing.assert_allclose(outputs.sr_image[..., ::2, ::2], unclipped.clip(0, 1), **STORED)
    np.testing.assert_allclose(outputs.seg_logits.sigmoid(), FIGURES[f'{name}_seg'], **STORED)
    assert sum(p.numel() for p in model.parameters()) == VARIANTS[name]


def test_every_dilation_of_dsrl_shows_on_a_tall_image(dsrl):
    name, model = dsrl
    lr_image = images(3, (1, 3, 320, 16))
    with torch.no_grad():
        branches = model._branches(lr_image, model.extract_feat(lr_image))
        sr_image = model._enlarged(branches.sr_image, lr_image)
        probability = model._logits(branches.probability, lr_image).sigmoid()
    np.testing.assert_allclose(sr_image[..., 1::8, 3::8], FIGURES[f'{name}_tall_sr_unclipped_sub'], **STORED)
    np.testing.assert_allclose(probability[..., 1::8, 3::8], FIGURES[f'{name}_tall_seg_sub'], **STORED)


def test_sides_of_dsrl_that_are_no_multiples_of_4(dsrl):
    name, model = dsrl
    lr_image = images(2, (1, 3, 18, 22))
    with torch.no_grad():
        (sample,) = model(lr_image, mode='predict')
    # The variant that ends at four times the image comes out larger there; the surplus is cut off here.
    sr_image = FIGURES[f'{name}_odd_sr_unclipped_sub'][..., :36, :44].clip(0, 1)
    assert sample.sr_img.data.shape == (3, 72, 88)
    np.testing.assert_allclose(sample.sr_img.data[None, :, ::2, ::2], sr_image, **STORED)
    np.testing.assert_allclose(sample.seg_prob.data[None], FIGURES[f'{name}_odd_seg'], **STORED)


@pytest.mark.parametrize('name', VARIANTS)
def test_losses_and_gradients_of_dsrl(name):
    model, names = converted(name, seed=10, **{'model.decode_head.loss_decode': dict(_delete_=True, **DICE)})
    lr_images, samples = joint_batch()
    total, terms = model.parse_losses(model.loss(lr_images, samples))
    total.backward()
    figures = {key: FIGURES[f'joint_{name}_{key}'] for key in ('fa', 'sr_l1', 'seg_dice', 'total')}
    assert total.item() == pytest.approx(figures['total'], rel=1e-13)
    assert terms['loss_fa'].item() == pytest.approx(0.5 * figures['fa'], rel=1e-13)
    assert terms['sr.loss_l1'].item() == pytest.approx(0.5 * figures['sr_l1'].mean(), rel=1e-13)
    assert terms['decode.loss_bc'].item() == pytest.approx(figures['seg_dice'].mean(), rel=1e-13)
    check_gradients(name, model, names)
    model.set_task_weight(0.0)
    (warm_up,) = model.loss(lr_images, samples).values()
    assert warm_up.item() == pytest.approx(FIGURES[f'joint_{name}_warm_up_total'], rel=1e-13)


def test_affinity_of_released_features():
    seg, sr = (torch.from_numpy(FIGURES[f'affinity_{key}']) for key in ('fea_seg', 'fea_sr'))
    loss = FeatureAffinityLoss()
    assert loss(seg, sr).item() == pytest.approx(FIGURES['affinity_fa'], rel=1e-13)
    each = FIGURES['affinity_fa_of_each_image_alone']
    assert [loss(a[None], b[None]).item() for a, b in zip(seg, sr, strict=True)] == pytest.approx(
        each, rel=1e-13
    )
    assert FeatureAffinityLoss(reduction='mean')(seg, sr).item() == pytest.approx(each.mean(), rel=1e-13)
