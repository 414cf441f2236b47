"""The segmentation networks with published weights, against the outputs of the authors' code."""

import copy
import importlib
from math import prod

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import published_models
from helpers.base_models import base_config, build, samples, total_loss, without_gradient
from mmseg.models.utils import resize

from csbsr_mm.models.official_checkpoints.rules import rename
from csbsr_mm.models.official_checkpoints.sr_rules import KBPN_RULES
from csbsr_mm.models.sr import KBPN

STATISTICS = ('running_mean', 'running_var', 'num_batches_tracked')
# Published model, base config, rules, parameters of the published segmentation network, and what explains
# that ours has fewer: biases in front of batch norm, tensors stored twice, tensors that are never used.
NETWORKS = {
    'kbpn7_pspnet': ('psp_resnet34', 'pspnet', 28_091_141, 256 + 64 + 64),
    'kbpn7_unet16': ('unet_vgg16', 'unet', 44_214_721, 14_714_688),
    'kbpn7_hrnet_ocr': ('ocr_hrnet48', 'hrnet_ocr', 74_499_970, 720 + 512 + 256 * 6 + 512 + 256),
    'kbpn7_crackformer': ('crackformer', 'crackformer', 4_961_691, None),
}


def published_parameters(name):
    prefix = 'segmentation_model.'
    return {
        parameter.removeprefix(prefix): shape
        for parameter, shape in published_models.published_parameters(name)
        if parameter.startswith(prefix)
    }


@pytest.fixture(scope='module')
def image():
    """What the authors' SR network gives, at full precision, as the segmentation network receives it."""
    renamed = rename(
        {
            name.removeprefix('sr_model.'): value
            for name, value in published_models.published_state('kbpn7_pspnet', 'sr_model.').items()
        },
        KBPN_RULES,
    )
    with torch.device('meta'):
        network = KBPN(estimated_kernel_size=7)
    network.load_state_dict(renamed.state, assign=True)
    with torch.no_grad():
        sr_image, _ = network.double().eval()(published_models.lr_images())
    return F.instance_norm(sr_image.clamp(0, 1), eps=1e-5)


@pytest.fixture(scope='module', params=NETWORKS)
def published(request):
    """Name and float64 network of a published model, in evaluation mode."""
    config, rules, *_ = NETWORKS[request.param]
    module = importlib.import_module(f'csbsr_mm.models.official_checkpoints.seg_rules_{rules}')
    prefix = 'segmentation_model.'
    state = {
        name.removeprefix(prefix): value
        for name, value in published_models.published_state(request.param, prefix).items()
    }
    renamed = rename(state, module.RULES)
    assert not renamed.unknown
    model = build(base_config(config))
    missing, unexpected = model.load_state_dict(renamed.state, strict=False)
    assert not unexpected
    assert not [name for name in missing if 'loss_decode' not in name]
    return request.param, model.double().eval()


def test_equals_the_published_network(published, image):
    name, model = published
    with torch.no_grad():
        logits = model(image, mode='tensor')
        logits = resize(logits, image.shape[-2:], mode='bilinear', align_corners=model.align_corners)
    np.testing.assert_allclose(
        logits.sigmoid().numpy(), published_models.crack_probabilities(name), rtol=0, atol=1e-7
    )


def test_number_of_parameters(published):
    name, model = published
    *_, total, dropped = NETWORKS[name]
    shapes = {n: s for n, s in published_parameters(name).items() if not n.endswith(STATISTICS)}
    assert sum(map(prod, shapes.values())) == total
    if dropped is None:
        third = ('down3.nn3.', 'down4.nn3.', 'down5.nn3.')
        dropped = sum(prod(s) for n, s in shapes.items() if n.startswith(third) or '.conv.bn2.' in n)
    assert sum(p.numel() for p in model.parameters()) == total - dropped


def test_training_reaches_every_parameter(published, image):
    name, model = published
    model = copy.deepcopy(model).float().train()
    image = image[..., :32, :48].float()
    total_loss(model.loss(image, samples(image.shape[-2:]))).backward()
    # With one class the attention over classes is 1 whatever its query and key.
    idle = [n for n in without_gradient(model) if 'query_project' not in n and 'key_project' not in n]
    assert not idle
    assert name == 'kbpn7_hrnet_ocr' or not without_gradient(model)
