"""torch.compile of the plain functions: one graph, the same numbers, kernels outside of it included."""

import pytest
import torch

from csbsr_mm.functional.boundary import boundary_loss, boundary_map
from csbsr_mm.functional.distance import distance_to, signed_distance
from csbsr_mm.functional.region import dice_loss, generalized_dice_loss, weighted_cross_entropy
from csbsr_mm.functional.topology import centerline_dice_loss
from csbsr_mm.functional.weights import crack_oriented_weight

pytestmark = pytest.mark.filterwarnings('ignore')


@pytest.fixture(scope='module')
def batch():
    generator = torch.Generator().manual_seed(3)
    label = torch.randint(2, (2, 12, 10), generator=generator)
    label[:, :3] = 255
    return torch.randn(2, 2, 12, 10, generator=generator), label


def same_in_one_graph(function, *arguments, backend='eager'):
    torch._dynamo.reset()
    compiled = torch.compile(function, backend=backend, fullgraph=True)
    torch.testing.assert_close(compiled(*arguments), function(*arguments))
    return compiled


@pytest.mark.parametrize(('given', 'backend'), [(False, 'aot_eager'), (True, 'eager')])
def test_boundary_loss(batch, given, backend):
    logits, label = batch
    arguments = (label, boundary_map(label)) if given else (label,)
    compiled = same_in_one_graph(boundary_loss, logits, *arguments, backend=backend)
    gradients = []
    for function in (boundary_loss, compiled):
        leaf = logits.clone().requires_grad_()
        gradients.append(torch.autograd.grad(function(leaf, *arguments), leaf)[0])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(('normalize', 'ignoring'), [(False, False), (True, True)])
def test_signed_distance(batch, normalize, ignoring):
    _, label = batch
    same_in_one_graph(signed_distance, label == 1, normalize, label == 255 if ignoring else None)


def test_another_size_and_another_content(batch):
    """What was compiled for one batch holds for the next."""
    _, label = batch
    compiled = same_in_one_graph(signed_distance, label == 1)
    for other in (label[:1, 2:] == 0, torch.zeros(3, 5, 4), torch.ones(1, 7, 7)):
        torch.testing.assert_close(compiled(other), signed_distance(other))


@pytest.mark.parametrize(
    'function', [boundary_map, lambda label: distance_to(label == 1), lambda t: crack_oriented_weight(t, 0.5)]
)
def test_maps_of_labels(batch, function):
    same_in_one_graph(function, batch[1])


@pytest.mark.parametrize('loss', [dice_loss, generalized_dice_loss, weighted_cross_entropy])
def test_region_losses(batch, loss):
    same_in_one_graph(loss, *batch)


def test_centerline_dice(batch):
    same_in_one_graph(lambda logits, label: centerline_dice_loss(logits, label, iterations=2), *batch)


def test_wrong_labels_are_refused_in_compiled_code_too(batch):
    logits, label = batch
    compiled = same_in_one_graph(dice_loss, logits, label)
    with pytest.raises(RuntimeError, match=r'labels must be 0..1 or ignore_index \(255\)'):
        compiled(logits, label + 1)
