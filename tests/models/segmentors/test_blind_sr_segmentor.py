"""The joint model: what it adds up, what it hides from C, and what it refuses."""

import copy

import pytest
import torch
import torch.nn.functional as F
from helpers.models import NORM, TINY_KBPN, batch, tiny_csbsr, tiny_unet
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import csbsr_mm  # noqa: F401


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')
    torch.manual_seed(0)


def build(**changes):
    model = MODELS.build(tiny_csbsr(**changes))
    model.init_weights()
    return model


def run_loss(model, **kwargs):
    model.train()
    data = model.data_preprocessor(batch(**kwargs), True)
    return model(**data, mode='loss'), data


def test_loss_is_the_weighted_sum_of_both_tasks():
    """(1 - β) L_S + β L_C, both sides computed from the parts alone."""
    model = build(task_weight=0.3).double()
    reference = copy.deepcopy(model)
    data = model.data_preprocessor(batch(), True)
    inputs = data['inputs'].double()
    losses = model.train()(inputs, data['data_samples'], mode='loss')
    total, _ = model.parse_losses(losses)

    reference.train()
    hr = torch.stack([sample.gt_hr_img.data for sample in data['data_samples']]).double()
    true_kernel = torch.stack([sample.gt_blur_kernel.data for sample in data['data_samples']])
    sr, kernel = reference.sr(inputs)
    sr_loss = sum(reference.sr_loss(sr, hr, inputs, kernel, true_kernel).values())
    image = F.instance_norm(sr, eps=1e-5)
    seg_loss = reference.segmentor.loss(image, data['data_samples'])['decode.loss_ce']
    assert torch.isclose(total, 0.7 * sr_loss + 0.3 * seg_loss, atol=1e-12)
    assert torch.isclose(losses['raw_decode.ce'], seg_loss.detach())


def test_beta_zero_does_not_run_the_segmentor():
    model = build(task_weight=0.0, sr_loss_weights=[dict(type='FailOrientedWeight')])
    before = copy.deepcopy(model.segmentor.state_dict())
    losses, _ = run_loss(model)
    assert not any(name.startswith('decode') for name in losses)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(p.grad is None for p in model.segmentor.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.segmentor.state_dict().items())


def test_beta_one_still_trains_the_sr_network_through_the_segmentor():
    model = build(task_weight=1.0)
    losses, _ = run_loss(model)
    model.parse_losses(losses)[0].backward()
    assert any(p.grad.abs().sum() > 0 for p in model.sr.parameters() if p.grad is not None)


@pytest.mark.parametrize('beta', [-0.1, 1.5])
def test_beta_outside_its_range(beta):
    with pytest.raises(ValueError, match=rf'task_weight .* got {beta}'):
        build(task_weight=beta)


@pytest.mark.parametrize('name', ['CrackOrientedWeight', 'FailOrientedWeight', 'SegLossWeight'])
def test_sr_loss_weights_reach_the_image_terms_only(name):
    model = build(segmentor=tiny_unet(loss_decode=dict(type='BoundaryComboLoss', alpha=0.5)))
    plain, _ = run_loss(model)
    torch.manual_seed(0)
    weighted_model = build(
        segmentor=tiny_unet(loss_decode=dict(type='BoundaryComboLoss', alpha=0.5)),
        sr_loss_weights=[dict(type=name)],
    )
    weighted_model.load_state_dict(model.state_dict())
    weighted, _ = run_loss(weighted_model)
    assert not torch.isclose(weighted['sr.loss_hr_image'], plain['sr.loss_hr_image'])
    assert not torch.isclose(weighted['sr.loss_lr_image'], plain['sr.loss_lr_image'])
    assert torch.isclose(weighted['sr.loss_kernel'], plain['sr.loss_kernel'])


def test_true_kernel_replaces_the_predicted_one():
    model = build(task_weight=0.0)
    model.set_use_gt_kernel(True)
    losses, _ = run_loss(model)
    assert losses['sr.loss_kernel'] < 1e-10
    model.parse_losses(losses)[0].backward()
    predictors = [p for m in model.parts()['sr.kernel_predictor'] for p in m.parameters()]
    assert all(p.grad is None or p.grad.abs().sum() == 0 for p in predictors)


def test_padding_changes_nothing_inside():
    """Black borders stay out of the normalisation statistics and the SR loss."""
    model = build(sr=dict(type='BicubicUpsampler', scale=4), normalize='instance').eval()
    model.segmentor.backbone = Identity()
    model.segmentor.decode_head = PixelwiseHead(model.segmentor.decode_head)
    image, sample = batch(1)['inputs'][0], batch(1)['data_samples'][0]
    alone = model.test_step(dict(inputs=[image], data_samples=[copy.deepcopy(sample)]))[0]
    model.data_preprocessor.size_divisor = 16
    padded = model.test_step(dict(inputs=[image], data_samples=[copy.deepcopy(sample)]))[0]
    assert padded.seg_logits.shape == alone.seg_logits.shape == (28, 36)
    # Bicubic interpolation sees two LR pixels beyond its own: the rim near the padding may differ.
    inner = (slice(None), slice(0, 20), slice(0, 28))
    # The statistics themselves come from SR pixels whose rim differs a little.
    assert torch.allclose(padded.seg_logits.data[inner], alone.seg_logits.data[inner], atol=0.05)


class Identity(torch.nn.Module):
    def forward(self, x):
        return [x, x]


class PixelwiseHead(torch.nn.Module):
    """A stand-in head whose logit is the mean of the three normalised channels."""

    def __init__(self, head):
        super().__init__()
        self.align_corners, self.conv_seg = head.align_corners, head.conv_seg

    def predict(self, features, metas, test_cfg):
        return features[0].mean(1, keepdim=True)


def test_padding_of_a_mixed_batch_in_training():
    """Two sizes in one batch: padded HR pixels neither enter L_S nor, as ignored labels, L_C."""
    model = build()
    small, big = batch(1, size=(6, 7)), batch(1, size=(8, 9))
    data = dict(
        inputs=small['inputs'] + big['inputs'], data_samples=small['data_samples'] + big['data_samples']
    )
    processed = model.data_preprocessor(data, True)
    first = processed['data_samples'][0]
    assert processed['inputs'].shape == (2, 3, 8, 9)
    assert first.gt_sem_seg.shape == (32, 36)
    assert (first.gt_sem_seg.data[:, 24:] == 255).all()
    targets = model.stack_targets(processed['inputs'], processed['data_samples'])
    assert targets['valid'][0].sum() == 24 * 28
    assert targets['valid'][1].all()


def test_wrong_hr_size_is_named():
    model = build()
    data = batch(1, scale=2)
    with pytest.raises(ValueError, match=r'gt_sem_seg of 0.png is 14x18, .* asks for 28x36'):
        model.data_preprocessor(data, True)


def test_scales_must_agree():
    with pytest.raises(ValueError, match='scale=2 but the SR network KBPN has scale=4'):
        build(data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=2))


def test_prediction_fields():
    model = build().eval()
    results = model.test_step(batch(2))
    for result in results:
        assert result.seg_logits.shape == result.seg_prob.shape == result.pred_sem_seg.shape == (28, 36)
        assert torch.allclose(result.seg_prob.data, result.seg_logits.data.sigmoid())
        assert torch.equal(result.pred_sem_seg.data, (result.seg_prob.data > 0.5).long())
        assert result.sr_img.data.shape == (3, 28, 36)
        assert 0 <= result.sr_img.data.min() <= result.sr_img.data.max() <= 1
        assert result.blur_kernel.data.shape == (1, 5, 5)
        assert result.metainfo['ori_shape'] == (7, 9)


def test_two_classes_and_explicit_threshold():
    model = build(segmentor=tiny_unet(out_channels=2)).eval()
    result = model.test_step(batch(1))[0]
    assert torch.allclose(result.seg_prob.data.sum(0), torch.ones(28, 36))
    assert torch.equal(result.pred_sem_seg.data[0], result.seg_prob.data.argmax(0))
    model = build(threshold=0.99).eval()
    assert model.test_step(batch(1))[0].pred_sem_seg.data.sum() == 0


def test_output_at_input_size():
    model = build(output_size='input').eval()
    result = model.test_step(batch(1))[0]
    assert result.pred_sem_seg.shape == (7, 9)


@pytest.mark.parametrize(('direction', 'dims'), [('horizontal', (-1,)), ('vertical', (-2,))])
def test_flips_are_undone(direction, dims):
    model = build().eval()
    image, sample = batch(1)['inputs'][0], batch(1)['data_samples'][0]
    plain = model.test_step(dict(inputs=[image.flip(dims)], data_samples=[copy.deepcopy(sample)]))[0]
    sample.set_metainfo(dict(flip=True, flip_direction=direction))
    flipped = model.test_step(dict(inputs=[image.flip(dims)], data_samples=[sample]))[0]
    for field in ('seg_logits', 'sr_img', 'blur_kernel'):
        assert torch.equal(flipped.get(field).data, plain.get(field).data.flip(dims))


def test_tensor_mode_gives_all_three():
    model = build().eval()
    outputs = model(torch.rand(2, 3, 6, 5), mode='tensor')
    assert outputs.sr_image.shape == (2, 3, 24, 20)
    assert outputs.seg_logits.shape == (2, 1, 24, 20)
    assert outputs.blur_kernel.shape == (2, 1, 5, 5)


def test_sliding_window_inference_of_the_segmentor():
    """MMSegmentation's own sliding windows run on the SR image."""
    segmentor = tiny_unet()
    segmentor['test_cfg'] = dict(mode='slide', crop_size=(16, 16), stride=(8, 8))
    model = build(segmentor=segmentor).eval()
    assert model.test_step(batch(1))[0].seg_logits.shape == (28, 36)


def test_blur_skip_conditions_the_last_features():
    model = build(blur_skip=dict(type='BlurSkipNeck', in_channels=4, kernel_size=5)).eval()
    inputs = torch.rand(1, 3, 6, 6)
    before = model(inputs, mode='tensor').seg_logits
    for parameter in model.blur_skip.parameters():
        parameter.data.add_(0.1)
    assert not torch.allclose(model(inputs, mode='tensor').seg_logits, before)
    losses, _ = run_loss(model)
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is not None for p in model.blur_skip.parameters())


def test_blur_skip_needs_a_kernel():
    with pytest.raises(ValueError, match='BicubicUpsampler estimates none'):
        build(sr=dict(type='BicubicUpsampler'), blur_skip=dict(type='BlurSkipNeck', in_channels=4))


def test_head_without_classifier_is_refused_by_name():
    weight = dict(type='FailOrientedWeight')
    with pytest.raises(TypeError, match=r"FCNHead has no per-pixel classifier 'conv_last'"):
        build(classifier='conv_last', sr_loss_weights=[weight])


@pytest.mark.parametrize('weights', [[], [dict(type='CrackOrientedWeight')]])
def test_a_classifier_is_looked_for_only_where_it_is_needed(weights):
    """Mask2Former and others have none; neither training nor a weight made from labels asks for it."""
    torch.manual_seed(0)
    without, tapped = build(classifier='conv_last', sr_loss_weights=weights), build(sr_loss_weights=weights)
    assert without.tap is None
    without.load_state_dict(tapped.state_dict())
    (first, _), (second, _) = run_loss(without), run_loss(tapped)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(second[name]))


def test_cascade_taps_the_last_head():
    ocr = dict(in_channels=4, in_index=1, channels=4, num_classes=2, norm_cfg=NORM)
    segmentor = tiny_unet(out_channels=2)
    fcn = {**segmentor['decode_head'], 'num_classes': 2}
    segmentor.update(
        type='CascadeEncoderDecoder',
        num_stages=2,
        decode_head=[fcn, dict(type='OCRHead', ocr_channels=4, **ocr)],
    )
    model = build(segmentor=segmentor)
    assert model.decode_head is model.segmentor.decode_head[1]
    losses, _ = run_loss(model)
    assert 'decode_1.loss_ce' in losses


def test_deep_copy_gets_hooks_of_its_own():
    """EMA deep-copies the model: the copy must not write into the original's tap."""
    model = build(sr_loss_weights=[dict(type='FailOrientedWeight')])
    twin = copy.deepcopy(model)
    losses, _ = run_loss(twin)
    model.parse_losses(losses)
    hooks = twin.decode_head.conv_seg._forward_hooks.values()
    assert [hook.__self__ for hook in hooks] == [twin.tap]


def test_frozen_parts_keep_their_statistics():
    model = build()
    model.set_trainable(['sr'])
    model.train()
    assert not model.segmentor.training
    assert model.sr.training
    assert all(p.requires_grad == name.startswith('sr.') for name, p in model.named_parameters())
    model.set_trainable(frozen=['sr.kernel_predictor'])
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen
    assert all('kernel' in name for name in frozen)
    model.set_trainable()
    assert all(p.requires_grad for p in model.parameters())
    assert model.segmentor.training
    with pytest.raises(ValueError, match="no part 'decoder'; it has"):
        model.set_trainable(['decoder'])


def test_schedule_state_travels_in_the_checkpoint():
    model, other = build(), build()
    model.set_task_weight(0.9)
    model.set_use_gt_kernel(True)
    model.set_training_stage(2)
    other.load_state_dict(model.state_dict())
    assert (other.task_weight, other.use_gt_kernel, other.training_stage) == (0.9, True, 2)


def test_checkpoint_of_another_architecture_is_refused():
    model = build()
    wider = build(sr={**TINY_KBPN, 'channels': 6})
    with pytest.raises(RuntimeError, match=r'another architecture than `sr` \(KBPN\): .*instead of'):
        model.load_state_dict(wider.state_dict(), strict=False)
    with pytest.raises(RuntimeError, match='holds nothing of this BlindSRSegmentor'):
        model.load_state_dict({'backbone.conv.weight': torch.zeros(1)}, strict=False)
    only_sr = {name: value for name, value in model.state_dict().items() if name.startswith('sr.')}
    build().load_state_dict(only_sr, strict=False)


def test_missing_targets_are_named():
    model = build().train()
    data = model.data_preprocessor(batch(1), True)
    del data['data_samples'][0].gt_hr_img
    with pytest.raises(ValueError, match='samples carry no gt_hr_img'):
        model(**data, mode='loss')


def test_inputs_are_checked():
    with pytest.raises(ValueError, match=r'inputs must be \(B, 3, h, w\)'):
        build()(torch.rand(1, 1, 8, 8), mode='tensor')
