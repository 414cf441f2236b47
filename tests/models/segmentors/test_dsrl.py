"""DSRL: its losses from their definitions, odd sizes, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F
from helpers.base_models import ONE_LOGIT, TWO_LOGITS, base_config, build, without_gradient
from helpers.models import lr_sample
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

NORM = dict(type='BN', requires_grad=True)


def tiny(options=ONE_LOGIT, **changes):
    config = dict(
        type='DSRL',
        scale=4,
        backbone=dict(type='DilatedResNet', depth=18, base_channels=4, stem_channels=4),
        decode_head=dict(
            type='DSRLHead',
            in_channels=32,
            in_index=3,
            low_channels=4,
            channels=8,
            reduced_channels=4,
            dilations=(1, 2),
            norm_cfg=NORM,
            **options,
        ),
        sr_head=dict(
            type='DSRLReconstructionHead',
            in_channels=8,
            low_channels=4,
            channels=8,
            reduced_channels=4,
            up_channels=(8, 6, 6, 5),
        ),
        affinity_loss=dict(type='FeatureAffinityLoss', subsample=4, loss_weight=0.5),
    )
    return build({**config, **changes})


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def without_dropout(model):
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def prepared(model, sizes=((12, 15), (12, 15))):
    """A training batch as the preprocessor gives it; images of different sizes are padded."""
    pairs = [lr_sample(size, seed=seed) for seed, size in enumerate(sizes)]
    images, data_samples = zip(*pairs, strict=True)
    return model.data_preprocessor(dict(inputs=list(images), data_samples=list(data_samples)), True)


@pytest.mark.parametrize('options', [ONE_LOGIT, TWO_LOGITS])
def test_losses_by_definition(options):
    model = without_dropout(tiny(options, sr_loss_weight=0.2)).train()
    data = prepared(model, sizes=((12, 16), (12, 16)))
    losses = model(**data, mode='loss')
    outputs = model(data['inputs'])
    hr_images = torch.stack([sample.gt_hr_img.data for sample in data['data_samples']])
    torch.testing.assert_close(losses['sr.loss_l1'], 0.2 * F.l1_loss(outputs.sr_image, hr_images))
    label = torch.stack([sample.gt_sem_seg.data for sample in data['data_samples']])
    if options is ONE_LOGIT:
        expected = F.binary_cross_entropy_with_logits(outputs.seg_logits, label.float())
    else:
        expected = F.cross_entropy(outputs.seg_logits, label.squeeze(1))
    torch.testing.assert_close(losses['decode.loss_ce'], expected)
    assert losses['loss_fa'] > 0


def test_training_reaches_every_parameter():
    model = tiny().train()
    # The pooled branch of ASPP normalises one value per image: two of them always become -1 and 1.
    data = prepared(model, sizes=((12, 16),) * 3)
    total, _ = model.parse_losses(model(**data, mode='loss'))
    total.backward()
    assert not without_gradient(model)


def test_padding_stays_out_of_the_sr_loss():
    model = without_dropout(tiny(sr_loss='l2')).train()
    data = prepared(model, sizes=((12, 16), (9, 11)))
    sr_image = model(data['inputs']).sr_image
    hr_images = torch.stack([sample.gt_hr_img.data for sample in data['data_samples']])
    error = (sr_image - hr_images).square()
    expected = (error[0].sum() + error[1, :, :36, :44].sum()) / (3 * (48 * 64 + 36 * 44))
    losses = model(**data, mode='loss')
    torch.testing.assert_close(losses['sr.loss_l2'], 0.5 * expected)


@pytest.mark.parametrize('size', [(16, 16), (13, 18)])
def test_predictions(size):
    model = tiny().eval()
    inputs = torch.rand(2, 3, *size)
    sample = SegDataSample(
        metainfo=dict(ori_shape=size, img_shape=size, flip=True, flip_direction='horizontal')
    )
    plain, flipped = model(inputs[:1], mode='predict')[0], model(inputs[:1], [sample], mode='predict')[0]
    shape = tuple(4 * side for side in size)
    assert plain.sr_img.data.shape == (3, *shape)
    assert 0 <= plain.sr_img.data.min() <= plain.sr_img.data.max() <= 1
    assert plain.seg_logits.data.shape == plain.seg_prob.data.shape == plain.pred_sem_seg.data.shape
    assert plain.pred_sem_seg.data.shape == (1, *shape)
    torch.testing.assert_close(plain.seg_prob.data, plain.seg_logits.data.sigmoid())
    assert torch.equal(plain.pred_sem_seg.data, (plain.seg_prob.data > 0.5).long())
    torch.testing.assert_close(flipped.seg_logits.data, plain.seg_logits.data.flip(-1))


def test_without_affinity():
    model = tiny(affinity_loss=None)
    assert 'loss_fa' not in model(**prepared(model), mode='loss')


def test_full_size_builds():
    """60.5 million parameters, most of them ResNet-101's 42.5 and the pyramid's 15.5."""
    with torch.device('meta'):
        model = build(base_config('dsrl_resnet101'))
    count = {
        name: sum(p.numel() for p in getattr(model, name).parameters()) for name in ('backbone', 'sr_head')
    }
    assert count['backbone'] == 42_500_160
    assert sum(p.numel() for p in model.decode_head.aspp.parameters()) == 15_535_104
    assert sum(p.numel() for p in model.parameters()) == 60_485_072


def test_task_weight_of_0_trains_super_resolution_alone():
    model = without_dropout(tiny()).train()
    data = prepared(model)
    model.set_task_weight(0.0)
    hr_images = torch.stack([sample.gt_hr_img.data for sample in data['data_samples']])
    (loss,) = model(**data, mode='loss').values()
    torch.testing.assert_close(loss, F.l1_loss(model(data['inputs']).sr_image, hr_images))
    loss.backward()
    idle = without_gradient(model)
    assert 'decode_head.conv_seg.weight' in idle
    assert not [name for name in idle if name.startswith('sr_head')]
    assert set(model.parts()) == {'backbone', 'decode_head', 'sr_head'}


@pytest.mark.parametrize('mode', ['bilinear', 'bicubic'])
def test_last_resize(mode):
    model = tiny(last_resize=mode).eval()
    inputs = torch.rand(1, 3, 12, 16)
    sr_image = model(inputs).sr_image
    smaller = model._branches(inputs, model.extract_feat(inputs)).sr_image
    expected = F.interpolate(smaller, (48, 64), mode=mode, align_corners=True).clamp(0, 1)
    torch.testing.assert_close(sr_image, expected)


def test_half_precision_keeps_probabilities_away_from_0_and_1():
    model = tiny().eval()
    probability = torch.tensor([0.0, 1.0], dtype=torch.float16).expand(1, 1, 24, 2)
    assert model._logits(probability, torch.rand(1, 3, 12, 1)).isfinite().all()


def test_refusals():
    with pytest.raises(ValueError, match='has scale=2 but DSRL has scale=4'):
        tiny(data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=2))
    with pytest.raises(ValueError, match='whole images'):
        tiny(test_cfg=dict(mode='slide', crop_size=(8, 8), stride=(8, 8)))
    with pytest.raises(ValueError, match=r'end at 2 or at scale=4 times .* 5 steps .* end at 8 times'):
        tiny(sr_head=dict(type='DSRLReconstructionHead', in_channels=8, up_channels=(8, 6, 6, 5, 4, 4)))
    with pytest.raises(ValueError, match="got 'l3'"):
        tiny(sr_loss='l3')
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.zeros(1, 64, 64, dtype=torch.long)))
    with pytest.raises(ValueError, match='no gt_hr_img'):
        tiny().loss(torch.rand(2, 3, 16, 16), [sample, sample])


def test_refuses_a_checkpoint_of_another_shape():
    state = tiny().state_dict()
    del state['sr_head.reconstruct.weight']
    with pytest.raises(RuntimeError, match=r'sr_head.*missing'):
        tiny().load_state_dict(state, strict=False)
