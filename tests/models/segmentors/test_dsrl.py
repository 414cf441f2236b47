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
        data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
        backbone=dict(type='DilatedResNet', depth=18, base_channels=4, stem_channels=4),
        decode_head=dict(
            type='DSRLHead',
            in_channels=32,
            in_index=3,
            channels=8,
            dilations=(1, 2),
            c1_in_channels=4,
            c1_channels=4,
            up_channels=(8, 6, 6, 4),
            dropout_ratio=0.0,
            norm_cfg=NORM,
            **options,
        ),
        sr_head=dict(
            type='DSRLReconstructionHead',
            in_channels=8,
            c1_in_channels=4,
            c1_channels=4,
            channels=8,
            up_channels=(8, 6, 6, 5),
        ),
        affinity_loss=dict(type='FeatureAffinityLoss', loss_weight=0.5),
    )
    return build({**config, **changes})


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def prepared(model, sizes=((12, 15), (12, 15))):
    """A training batch as the preprocessor gives it; images of different sizes are padded."""
    pairs = [lr_sample(size, seed=seed) for seed, size in enumerate(sizes)]
    images, data_samples = zip(*pairs, strict=True)
    return model.data_preprocessor(dict(inputs=list(images), data_samples=list(data_samples)), True)


@pytest.mark.parametrize('options', [ONE_LOGIT, TWO_LOGITS])
def test_losses_by_definition(options):
    model = tiny(options, sr_loss_weight=0.2).train()
    data = prepared(model)
    losses = model(**data, mode='loss')
    outputs = model(data['inputs'])
    hr_images = torch.stack([sample.gt_hr_img.data for sample in data['data_samples']])
    torch.testing.assert_close(losses['sr.loss_mse'], 0.2 * F.mse_loss(outputs.sr_image, hr_images))
    label = torch.stack([sample.gt_sem_seg.data for sample in data['data_samples']])
    if options is ONE_LOGIT:
        expected = F.binary_cross_entropy_with_logits(outputs.seg_logits, label.float())
    else:
        expected = F.cross_entropy(outputs.seg_logits, label.squeeze(1))
    torch.testing.assert_close(losses['decode.loss_ce'], expected)
    assert 0 < losses['loss_fa'] < 1


def test_training_reaches_every_parameter():
    model = tiny().train()
    # The pooled branch of ASPP normalises one value per image: two of them always become -1 and 1.
    data = prepared(model, sizes=((12, 15),) * 3)
    total, _ = model.parse_losses(model(**data, mode='loss'))
    total.backward()
    assert not without_gradient(model)


def test_padding_stays_out_of_the_sr_loss():
    model = tiny().train()
    data = prepared(model, sizes=((12, 15), (9, 11)))
    sr_image = model(data['inputs']).sr_image
    hr_images = torch.stack([sample.gt_hr_img.data for sample in data['data_samples']])
    error = (sr_image - hr_images).square()
    expected = (error[0].sum() + error[1, :, :36, :44].sum()) / (3 * (48 * 60 + 36 * 44))
    losses = model(**data, mode='loss')
    torch.testing.assert_close(losses['sr.loss_mse'], 0.1 * expected)


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
    """50 million parameters, most of them ResNet-101's 42.5."""
    with torch.device('meta'):
        model = build(base_config('dsrl_resnet101'))
    assert 50.0e6 < sum(p.numel() for p in model.parameters()) < 50.1e6


def test_refusals():
    with pytest.raises(ValueError, match='has scale=2 but DSRL has scale=4'):
        tiny(data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=2))
    with pytest.raises(ValueError, match='whole images'):
        tiny(test_cfg=dict(mode='slide', crop_size=(8, 8), stride=(8, 8)))
    model = tiny(scale=2, data_preprocessor=None)
    with pytest.raises(ValueError, match=r'\(64, 64\) for \(16, 16\) pixels at scale 2'):
        model(torch.rand(2, 3, 16, 16))
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.zeros(1, 64, 64, dtype=torch.long)))
    with pytest.raises(ValueError, match='no gt_hr_img'):
        tiny().loss(torch.rand(2, 3, 16, 16), [sample, sample])


def test_refuses_a_checkpoint_of_another_shape():
    state = tiny().state_dict()
    del state['sr_head.reconstruct.weight']
    with pytest.raises(RuntimeError, match=r'sr_head.*missing'):
        tiny().load_state_dict(state, strict=False)
