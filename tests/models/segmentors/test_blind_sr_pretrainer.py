import pytest
import torch
from helpers.models import TINY_KBPN, batch, tiny_csbsr
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import csbsr_mm  # noqa: F401

PRETRAINER = dict(
    type='BlindSRPretrainer',
    sr=TINY_KBPN,
    sr_loss=dict(type='BlindSRLoss'),
    data_preprocessor=dict(type='BlindSRDataPreProcessor', scale=4),
)


@pytest.fixture
def model():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    return MODELS.build(PRETRAINER)


def test_loss_is_that_of_the_joint_model_with_beta_zero(model):
    joint = MODELS.build(tiny_csbsr(task_weight=0.0))
    joint.sr.load_state_dict(model.sr.state_dict())
    data = model.data_preprocessor(batch(), training=True)
    own = model(**data, mode='loss')
    theirs = joint(**data, mode='loss')
    assert set(own) == {'sr.loss_hr_image', 'sr.loss_lr_image', 'sr.loss_kernel'}
    for name, value in own.items():
        assert torch.equal(value, theirs[name])


def test_only_the_sr_network_has_parameters(model):
    assert {name.split('.')[0] for name, _ in model.named_parameters()} == {'sr'}
    assert set(model.parts()) == {'sr', 'sr.kernel_predictor'}


def test_predicts_at_the_size_of_the_photo(model):
    """Padding of a mixed batch is cropped away."""
    model.eval()
    data = batch(2, size=(7, 9))
    data['inputs'][1] = data['inputs'][1][:, :5, :6]
    processed = model.data_preprocessor(data)
    processed['data_samples'][1].set_metainfo(dict(ori_shape=(5, 6)))
    with torch.no_grad():
        samples = model(**processed, mode='predict')
    assert [tuple(sample.sr_img.data.shape) for sample in samples] == [(3, 28, 36), (3, 20, 24)]
    assert samples[0].blur_kernel.data.sum().item() == pytest.approx(1)
    assert all(sample.sr_img.data.min() >= 0 and sample.sr_img.data.max() <= 1 for sample in samples)


def test_true_kernel_replaces_the_predicted_one(model):
    data = model.data_preprocessor(batch(), training=True)
    model.set_use_gt_kernel(True)
    assert model(**data, mode='loss')['sr.loss_kernel'] < 1e-12
    del data['data_samples'][0].gt_blur_kernel
    with pytest.raises(ValueError, match='gt_blur_kernel'):
        model(**data, mode='loss')


def test_joint_model_loads_its_checkpoint_and_keeps_its_own_beta(model):
    joint = MODELS.build(tiny_csbsr(task_weight=0.3))
    weights = {name: value for name, value in model.state_dict().items() if name.startswith('sr.')}
    joint.load_state_dict(weights, strict=False)
    assert joint.task_weight == 0.3
    for name, value in weights.items():
        assert torch.equal(joint.state_dict()[name], value)


def test_refuses_an_unknown_mode(model):
    with pytest.raises(ValueError, match="'fit'"):
        model(torch.rand(1, 3, 4, 4), mode='fit')
