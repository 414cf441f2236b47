"""BoundaryComboLoss: what it keeps between calls (alpha, distance maps, class counts), and bad options."""

import copy
import pickle
import warnings

import pytest
import torch
from mmseg.registry import MODELS

import csbsr_mm  # noqa: F401
from csbsr_mm.functional.boundary import boundary_map
from csbsr_mm.losses import CenterlineDiceLoss, SkeletonRecallLoss
from csbsr_mm.models.losses import BoundaryComboLoss


def sample(classes=2, outputs=None, shape=(3, 9, 11), seed=0, ignored=0.2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(shape[0], outputs or classes, *shape[1:], generator=generator, dtype=dtype)
    label = torch.randint(classes, shape, generator=generator)
    label[torch.rand(shape, generator=generator) < ignored] = 255
    return logits, label


# Alpha.


def test_warns_once_if_nothing_sets_alpha():
    logits, label = sample()
    loss = BoundaryComboLoss()
    with pytest.warns(UserWarning, match=r'without its boundary term.*BoundaryRebalanceHook'):
        value = loss(logits, label)
    torch.testing.assert_close(value, BoundaryComboLoss(alpha=0)(logits, label))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        loss(logits, label)
        BoundaryComboLoss().eval()(logits, label)
        BoundaryComboLoss(alpha=0)(logits, label)
        moved = BoundaryComboLoss()
        moved.set_alpha(0)
        moved(logits, label)
        loaded = BoundaryComboLoss()
        loaded.load_state_dict(moved.state_dict())
        loaded(logits, label)


def test_alpha_is_in_the_checkpoint():
    loss = BoundaryComboLoss()
    assert loss.alpha.shape == ()
    assert dict(loss.named_buffers())['alpha'] is loss.alpha
    loss.set_alpha(0.42)
    other = BoundaryComboLoss()
    other.load_state_dict(loss.state_dict())
    assert other.alpha == pytest.approx(0.42)


def test_fixed_alpha_outranks_a_checkpoint():
    source = BoundaryComboLoss(alpha=0.9)
    loss = BoundaryComboLoss(alpha=0.1)
    loss.load_state_dict(source.state_dict())
    assert loss.alpha == pytest.approx(0.1)


def test_checkpoint_of_another_loss_loads():
    loss = BoundaryComboLoss(alpha=0.1)
    assert loss.load_state_dict({}) == ([], [])
    assert loss.alpha == pytest.approx(0.1)


def test_copies_and_pickles():
    loss = BoundaryComboLoss()
    loss.set_alpha(0.5)
    logits, label = sample()
    value = loss(logits, label)
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert torch.equal(twin(logits, label), value)


@pytest.mark.parametrize('given', [False, True])
def test_compiles_without_a_graph_break(given):
    logits, label = sample(dtype=torch.float32)
    loss = BoundaryComboLoss(class_weight='inverse_frequency')
    loss.set_alpha(0.3)
    if given:
        loss.set_boundary_maps(boundary_map(label))
    compiled = torch.compile(copy.deepcopy(loss), backend='eager', fullgraph=True)
    for alpha in (0.3, 0.6):
        values, gradients = [], []
        for function in (loss, compiled):
            function.set_alpha(alpha)
            leaf = logits.clone().requires_grad_()
            values.append(function(leaf, label))
            gradients.append(torch.autograd.grad(values[-1], leaf)[0])
        torch.testing.assert_close(*values)
        torch.testing.assert_close(*gradients)
    label[0, 0, 0] = 7
    with pytest.raises(RuntimeError, match=r'labels must be 0..1 or ignore_index \(255\)'):
        compiled(logits, label)


# Counts of classes.


@pytest.mark.parametrize('classes', [2, 4, 300])
def test_counts_many_classes_and_takes_empty_batches(classes):
    """300 classes: class 255 is the ignored one, as ignore_index says."""
    loss = BoundaryComboLoss(alpha=0.5, class_weight='inverse_frequency')
    logits, label = sample(classes, shape=(2, 20, 20))
    empty = loss(logits[:0].requires_grad_(), label[:0])
    empty.backward()
    assert empty == 0
    assert loss.class_pixels.sum() == 0
    assert loss(logits, label).isfinite()
    expected = torch.bincount(label[label != 255], minlength=classes)
    torch.testing.assert_close(loss.class_pixels[:classes], expected.double())
    assert loss.class_pixels.sum() == (label != 255).sum()


@pytest.mark.parametrize('classes', [1, 2, 4])
def test_an_empty_batch_costs_nothing(classes):
    logits = torch.zeros(0, classes, 8, 8, requires_grad=True)
    label = torch.zeros(0, 8, 8, dtype=torch.long)
    for module in (BoundaryComboLoss(alpha=0.5), CenterlineDiceLoss(), SkeletonRecallLoss()):
        value = module(logits, label)
        value.backward()
        assert value == 0
    assert logits.grad.shape == logits.shape


def test_counts_of_an_earlier_version_load():
    loss = BoundaryComboLoss(alpha=0.5, class_weight='inverse_frequency')
    earlier = {**loss.state_dict(), 'class_pixels': torch.arange(256.0)}
    loss.load_state_dict(earlier)
    torch.testing.assert_close(loss.class_pixels[:256], torch.arange(256.0).double())
    assert not loss.class_pixels[256:].any()


# Precomputed maps.


@pytest.mark.parametrize(('classes', 'outputs'), [(2, 1), (2, 2), (4, 4)])
@pytest.mark.parametrize('normalize', [True, False])
def test_precomputed_maps_change_nothing(classes, outputs, normalize):
    logits, label = sample(classes, outputs)
    loss = BoundaryComboLoss(alpha=0.5, normalize_distance=normalize)
    value = loss(logits, label)
    maps = boundary_map(label, tuple(range(4)) if classes == 4 else (1,), normalize)
    loss.set_boundary_maps(maps, normalize)
    assert torch.equal(loss(logits, label), value)
    loss.set_boundary_maps([m + 1 for m in maps], normalize)
    assert not torch.equal(loss(logits, label), value)
    loss.set_boundary_maps(None)
    assert torch.equal(loss(logits, label), value)


def test_precomputed_maps_are_padded_like_the_labels():
    logits, label = sample(2, 1, shape=(2, 9, 11))
    loss = BoundaryComboLoss(alpha=0.5)
    sizes = [(9, 11), (7, 8)]
    for b, (height, width) in enumerate(sizes):
        label[b, height:], label[b, :, width:] = 255, 255
    value = loss(logits, label)
    maps = [boundary_map(t[:height, :width]) for t, (height, width) in zip(label, sizes, strict=True)]
    loss.set_boundary_maps(maps)
    torch.testing.assert_close(loss(logits, label), value)


def test_maps_that_do_not_fit():
    logits, label = sample()
    loss = BoundaryComboLoss(alpha=0.5)
    for maps in ([torch.zeros(1, 9, 11)] * 2, [torch.zeros(1, 10, 11)] * 3):
        loss.set_boundary_maps(maps)
        with pytest.raises(ValueError, match='nothing after SignedDistanceTransform may crop'):
            loss(logits, label)
    with pytest.raises(ValueError, match=r'normalize=False, the loss has normalize_distance=True'):
        loss.set_boundary_maps([], normalized=False)


# Construction.


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(alpha=1.01), r'alpha must be in \[0, 1\], got 1.01'),
        (dict(alpha=-0.1), r'alpha must be in \[0, 1\], got -0.1'),
        (dict(alpha=float('nan')), r'alpha must be in \[0, 1\], got nan'),
        (dict(gamma=2), r'gamma must be in \[0, 1\], got 2'),
        (dict(region='iou'), r"region must be 'dice' or 'gdice', got 'iou'"),
        (dict(reduction='max'), r"reduction must be one of .* got 'max'"),
        (dict(class_weight=[1]), r'one finite weight >= 0 for each class, .* got \[1.0\]'),
        (dict(class_weight=[1, -1]), r'got \[1.0, -1.0\]; tools/dataset_converters/count_class_weights.py'),
        (dict(class_weight=[0, 0]), r'not all 0'),
        (dict(fail_weight_m=-1), r'fail_weight_m must be >= 0 or None, got -1'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        BoundaryComboLoss(**options)


@pytest.mark.parametrize('alpha', [-0.01, 1.01, float('nan')])
def test_bad_alpha_later(alpha):
    loss = BoundaryComboLoss()
    with pytest.raises(ValueError, match=r'alpha must be in \[0, 1\]'):
        loss.set_alpha(alpha)


def test_is_registered_and_says_what_it_is():
    loss = MODELS.build(dict(type='BoundaryComboLoss', alpha=0.5, loss_name='loss_mine'))
    assert loss.loss_name == 'loss_mine'
    assert BoundaryComboLoss().loss_name == 'loss_bc'
    assert "alpha=0.5, gamma=0.5, region='dice'" in repr(loss)


def loss_of_rank(rank, address, folder):
    """Loss of every second image, in a process of its own."""
    torch.distributed.init_process_group('gloo', init_method=address, rank=rank, world_size=2)
    logits, label = sample(2, 1, shape=(4, 9, 11))
    loss = BoundaryComboLoss(alpha=0.3, class_weight='inverse_frequency')
    values = [loss(logits[rank::2], label[rank::2]) for _ in range(2)]
    torch.save((values, loss.class_pixels), f'{folder}/{rank}.pt')
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path):
    """Class frequencies are those of all processes, so the mean of their losses is the global one."""
    address = f'file://{tmp_path}/store'
    torch.multiprocessing.spawn(loss_of_rank, (address, str(tmp_path)), nprocs=2)
    logits, label = sample(2, 1, shape=(4, 9, 11))
    loss = BoundaryComboLoss(alpha=0.3, class_weight='inverse_frequency')
    expected = [loss(logits, label) for _ in range(2)]
    (first, counts), (second, others) = (torch.load(tmp_path / f'{rank}.pt') for rank in range(2))
    assert torch.equal(counts, loss.class_pixels)
    assert torch.equal(others, loss.class_pixels)
    for a, b, value in zip(first, second, expected, strict=True):
        torch.testing.assert_close((a + b) / 2, value)


def test_class_counts_are_those_of_all_processes(monkeypatch):
    """Another process with the same pixels twice over, added where the counts are reduced."""
    label = torch.tensor([[[0, 0, 0, 1]]])
    own = BoundaryComboLoss(alpha=0.5, class_weight='inverse_frequency')
    own(torch.zeros(1, 2, 1, 4), label)
    reduced = []

    def with_another(pixels, *args, **kwargs):
        reduced.append(pixels.tolist())
        pixels *= 3

    monkeypatch.setattr(torch.distributed, 'is_initialized', lambda: True)
    monkeypatch.setattr(torch.distributed, 'all_reduce', with_another)
    shared = BoundaryComboLoss(alpha=0.5, class_weight='inverse_frequency')
    shared(torch.zeros(1, 2, 1, 4), label)
    assert reduced == [[3, 1]]
    assert shared.class_pixels[:2].tolist() == [9, 3] == (3 * own.class_pixels[:2]).tolist()


def test_more_classes_than_can_be_counted():
    loss = BoundaryComboLoss(alpha=0.5, class_weight='inverse_frequency')
    with pytest.raises(ValueError, match='at most 4096 classes, the network has 4097'):
        loss(torch.zeros(1, 4097, 2, 2), torch.zeros(1, 2, 2, dtype=torch.long))
