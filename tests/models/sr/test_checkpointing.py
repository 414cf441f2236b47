"""What is computed again gives the same gradients and is not kept."""

import pytest
import torch
from torch import nn

from csbsr_mm.models.sr import KBPN
from csbsr_mm.models.sr.checkpointing import checkpointed


def kept_shapes(run):
    """Shapes of what autograd keeps of ``run()``."""
    shapes = []

    def note(tensor):
        shapes.append(tuple(tensor.shape))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run()
    return shapes


@pytest.fixture
def part():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 40, 3, padding=1), nn.PReLU(), nn.Conv2d(40, 2, 3, padding=1)).double()


def test_the_same_gradients_to_the_last_bit(part):
    gradients = {}
    for enabled in (False, True):
        x = torch.rand(1, 2, 6, 7, generator=torch.Generator().manual_seed(1)).double().requires_grad_()
        part.zero_grad()
        checkpointed(part, x, enabled=enabled).square().sum().backward()
        gradients[enabled] = [x.grad, *(parameter.grad.clone() for parameter in part.parameters())]
    for plain, again in zip(gradients[False], gradients[True], strict=True):
        assert torch.equal(plain, again)


def test_inner_maps_are_not_kept(part):
    x = torch.rand(1, 2, 6, 7).double().requires_grad_()
    assert (1, 40, 6, 7) in kept_shapes(lambda: checkpointed(part, x, enabled=False))
    assert (1, 40, 6, 7) not in kept_shapes(lambda: checkpointed(part, x))


def test_without_gradients_it_is_a_plain_call(part):
    x = torch.rand(1, 2, 6, 7).double()
    with torch.inference_mode():
        assert torch.equal(checkpointed(part, x), part(x))


@pytest.mark.parametrize('fold', [True, False])
def test_kbpn_keeps_none_of_its_widest_maps(fold):
    """Those with k_est^2 channels at SR resolution; the literal network keeps them."""
    network = KBPN(num_stages=1, channels=4, kernel_size=7, estimated_kernel_size=5, fold=fold)
    shapes = kept_shapes(lambda: network(torch.rand(1, 3, 6, 6)))
    assert ((1, 25, 24, 24) in shapes) == (not fold)
