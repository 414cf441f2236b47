"""KBPN against the figures of the published networks, and its folded form against the literal one."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import published_models
from mmseg.registry import MODELS
from torch import nn

from csbsr_mm.models.official_checkpoints.rules import rename
from csbsr_mm.models.official_checkpoints.sr_rules import KBPN_RULES
from csbsr_mm.models.sr import KBPN

ESTIMATED = {'kbpn7_pspnet': 7, 'kbpn21_pspnet': 21}
TINY = dict(num_stages=3, channels=6, kernel_size=5)


def tiny(fold: bool = True, dtype: torch.dtype = torch.float64, seed: int = 0, **options) -> KBPN:
    """A small network whose kernels stay positive, so that their normalisation is well conditioned."""
    torch.manual_seed(seed)
    network = KBPN(**{**TINY, 'estimated_kernel_size': 3, 'fold': fold, **options})
    with torch.no_grad():
        network.kernel_predictor.layers[2].conv.weight.abs_()
        for stage in network.stages:
            stage.kernel_update.joint_convs[2].weight.mul_(0.05)
    return network.to(dtype)


def gradients(network: nn.Module, lr: torch.Tensor) -> torch.Tensor:
    network.zero_grad()
    sr, kernel = network(lr)
    (sr.square().mean() + kernel.square().sum()).backward()
    return torch.cat([p.grad.flatten() for p in network.parameters()])


def published(model: str) -> KBPN:
    state = published_models.published_state(model, 'sr_model.')
    renamed = rename({name.removeprefix('sr_model.'): value for name, value in state.items()}, KBPN_RULES)
    assert not renamed.unknown
    with torch.device('meta'):
        network = KBPN(estimated_kernel_size=ESTIMATED[model])
    network.load_state_dict(renamed.state, assign=True)
    return network.double().eval()


@pytest.mark.parametrize('model', ESTIMATED)
@torch.no_grad()
def test_published_figures(model: str) -> None:
    network, lr = published(model), published_models.lr_images()
    sr, kernel = network(lr)
    np.testing.assert_allclose(sr.clip(0, 1).numpy(), published_models.sr_images(model), atol=1e-7)
    np.testing.assert_allclose(kernel.numpy(), published_models.blur_kernels(model), atol=1e-8)

    lr = lr[:1, :, :5, :6]
    folded = network(lr)
    for module in network.modules():
        if hasattr(module, 'fold'):
            module.fold = False
    for ours, literal in zip(folded, network(lr), strict=True):
        torch.testing.assert_close(ours, literal, rtol=0, atol=1e-12)


@pytest.mark.parametrize(('estimated', 'millions'), [(7, 61.16), (21, 75.84)])
def test_parameter_count(estimated: int, millions: float) -> None:
    with torch.device('meta'):
        network = KBPN(estimated_kernel_size=estimated)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize('size', [(1, 1), (1, 6), (3, 2), (5, 8)])
@pytest.mark.parametrize(('scale', 'estimated'), [(4, 3), (2, 5), (8, 3)])
def test_folded_is_literal(size: tuple[int, int], scale: int, estimated: int) -> None:
    torch.manual_seed(0)
    lr = torch.rand(2, 3, *size, dtype=torch.float64)
    pair = [tiny(fold, scale=scale, estimated_kernel_size=estimated) for fold in (True, False)]
    for ours, literal in zip(pair[0](lr), pair[1](lr), strict=True):
        torch.testing.assert_close(ours, literal, rtol=0, atol=1e-12)
    ours, literal = (gradients(network, lr) for network in pair)
    assert (ours - literal).norm() <= 1e-11 * literal.norm()


def test_folded_is_literal_in_single_precision() -> None:
    lr = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(1))
    exact = gradients(tiny(False), lr.double())
    folded, literal = tiny(True, torch.float32), tiny(False, torch.float32)
    for ours, theirs in zip(folded(lr), literal(lr), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
    error = (gradients(folded, lr).double() - exact).norm()
    assert error <= 2 * (gradients(literal, lr).double() - exact).norm()


def test_checkpointed_stages_give_the_same_gradients() -> None:
    lr = torch.rand(1, 3, 5, 6, dtype=torch.float64)
    expected = gradients(tiny(), lr)
    torch.testing.assert_close(gradients(tiny(checkpoint_stages=True), lr), expected, rtol=0, atol=1e-14)


def test_every_parameter_trains() -> None:
    network = tiny(dtype=torch.float32)
    network.init_weights()
    gradients(network, torch.rand(2, 3, 6, 6))
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not idle


@pytest.mark.parametrize('fold', [True, False])
def test_black_images_before_training(fold: bool) -> None:
    """A new network has no biases, so a black image gives it nothing to estimate a kernel from."""
    network = KBPN(**TINY, estimated_kernel_size=3, fold=fold)
    network.init_weights()
    network.double()
    lr = torch.rand(3, 3, 6, 7, dtype=torch.float64)
    lr[1] = 0
    assert gradients(network, lr).isfinite().all()
    sr, kernel = network(lr)
    torch.testing.assert_close(kernel.sum((2, 3)), torch.ones(3, 1).double())
    torch.testing.assert_close(network(lr[:1])[0], sr[:1])


def test_given_kernel_replaces_the_predicted_one_everywhere() -> None:
    network, lr = tiny(), torch.rand(2, 3, 5, 6, dtype=torch.float64)
    given = torch.rand(2, 1, 5, 5, dtype=torch.float64)
    sr, kernel = network(lr, given)
    torch.testing.assert_close(kernel, given / given.sum((2, 3), keepdim=True))
    sr.sum().backward()
    predictors = tuple(network.kernel_predictor_modules())
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == name.startswith(predictors), name
    # What the network predicts itself, when given, must change nothing.
    predicted, last = network.kernel_predictor(network.features(lr)), network(lr, given)[0]
    assert not torch.allclose(network(lr)[0], last)
    assert predicted.shape == (2, 25, 1, 1)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_keeps_kernels_in_single_precision(dtype: torch.dtype) -> None:
    network, lr = tiny(dtype=torch.float32), torch.rand(2, 3, 6, 7)
    sr, kernel = network(lr)
    with torch.autocast('cpu', dtype):
        half_sr, half_kernel = network(lr)
    assert half_kernel.dtype == half_sr.dtype == torch.float32
    torch.testing.assert_close(half_kernel.sum((2, 3)), torch.ones(2, 1), rtol=0, atol=1e-6)
    torch.testing.assert_close(half_sr, sr, rtol=0.1, atol=0.05)
    torch.testing.assert_close(half_kernel, kernel, rtol=0.1, atol=0.02)


def test_whole_network_in_half_precision() -> None:
    network, lr = tiny(dtype=torch.float32).eval(), torch.rand(2, 3, 6, 7)
    sr, kernel = network(lr)
    half_sr, half_kernel = network.bfloat16()(lr.bfloat16())
    assert (half_sr.dtype, half_kernel.dtype) == (torch.bfloat16, torch.float32)
    torch.testing.assert_close(half_sr.float(), sr, rtol=0.1, atol=0.05)
    torch.testing.assert_close(half_kernel, kernel, rtol=0.1, atol=0.02)


def test_channels_last_layout() -> None:
    network, lr = tiny(), torch.rand(2, 3, 5, 6, dtype=torch.float64)
    expected = network(lr)
    for ours, plain in zip(network.to(memory_format=torch.channels_last)(lr), expected, strict=True):
        torch.testing.assert_close(ours, plain, rtol=0, atol=1e-12)


def test_blur_methods_agree() -> None:
    lr = torch.rand(3, 3, 5, 6, dtype=torch.float64)
    for ours, other in zip(tiny()(lr), tiny(blur_method='unfold')(lr), strict=True):
        torch.testing.assert_close(ours, other, rtol=0, atol=1e-12)


def test_traces_without_a_break() -> None:
    network, lr = tiny(dtype=torch.float32), torch.rand(2, 3, 6, 7)
    compiled = torch.compile(network, backend='eager', fullgraph=True)
    for ours, eager in zip(compiled(lr), network(lr), strict=True):
        torch.testing.assert_close(ours, eager)


def test_exports_with_any_batch_and_size() -> None:
    network, lr = tiny(dtype=torch.float32, blur_method='unfold').eval(), torch.rand(2, 3, 8, 9)
    batch, height, width = (torch.export.Dim(name, min=low, max=512) for name, low in
                            (('batch', 1), ('height', 4), ('width', 4)))  # fmt: skip
    program = torch.export.export(network, (lr,), dynamic_shapes=dict(lr={0: batch, 2: height, 3: width}))
    other = torch.rand(3, 3, 12, 5)
    for ours, eager in zip(program.module()(other), network(other), strict=True):
        torch.testing.assert_close(ours, eager)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(scale=3), r'scale must be one of \(2, 4, 8\), got 3'),
        (dict(kernel_size=20), 'kernel_size must be odd and positive, got 20'),
        (dict(estimated_kernel_size=6), 'estimated_kernel_size must be odd and positive, got 6'),
        (dict(estimated_kernel_size=23), 'at most kernel_size=21, got 23'),
        (dict(num_stages=0), 'num_stages must be at least 1, got 0'),
        (dict(channels=0), 'channels must be at least 1, got 0'),
        (dict(blur_method='fft'), "'grouped' or 'unfold', got 'fft'"),
        (dict(channels=64, vgg_features='vgg16.pth'), '128 channels, got channels=64'),
    ],
)
def test_refused_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='KBPN', **options))


def test_refused_inputs() -> None:
    network = tiny(dtype=torch.float32)
    with pytest.raises(ValueError, match=r'must have shape \(B, 3, h, w\).* got \(1, 3, 0, 4\)'):
        network(torch.rand(1, 3, 0, 4))
    with pytest.raises(ValueError, match=r'got \(3, 4, 4\)'):
        network(torch.rand(3, 4, 4))
    with pytest.raises(TypeError, match=r'floating point in \[0, 1\], got torch.uint8'):
        network(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r'blur_kernel must have shape \(1, 1, 5, 5\), got \(1, 1, 21, 21\)'):
        network(torch.rand(1, 3, 4, 4), torch.rand(1, 1, 21, 21))


def test_vgg_features_survive_initialisation(tmp_path) -> None:
    shapes = {0: (64, 3), 2: (64, 64), 5: (128, 64), 7: (128, 128)}
    vgg = {f'features.{i}.weight': torch.randn(*shape, 3, 3) for i, shape in shapes.items()}
    vgg.update({f'features.{i}.bias': torch.randn(shape[0]) for i, shape in shapes.items()})
    torch.save(vgg, tmp_path / 'vgg16.pth')
    network = KBPN(num_stages=1, vgg_features=str(tmp_path / 'vgg16.pth'))
    network.init_weights()
    image = torch.rand(1, 3, 6, 6)
    expected = image
    for index in shapes:
        expected = F.relu(
            F.conv2d(expected, vgg[f'features.{index}.weight'], vgg[f'features.{index}.bias'], padding=1)
        )
    torch.testing.assert_close(network.features(image), expected)
    assert network.kernel_predictor.layers[0].conv.weight.std().item() == pytest.approx(
        (2 / (128 * 9)) ** 0.5, rel=0.02
    )


def test_unreadable_vgg_features(tmp_path) -> None:
    network = KBPN(num_stages=1, vgg_features=str(tmp_path / 'absent.pth'))
    with pytest.raises(RuntimeError, match=r'cannot be read from .*absent.pth.* downloaded file'):
        network.init_weights()
    torch.save({'features.0.weight': torch.zeros(64, 3, 3, 3)}, tmp_path / 'part.pth')
    network = KBPN(num_stages=1, vgg_features=str(tmp_path / 'part.pth'))
    with pytest.raises(RuntimeError, match=r'features.0.bias is missing'):
        network.init_weights()
