"""Batches that travel as one parcel arrive as they were sent."""

import copy
import io
from multiprocessing.reduction import ForkingPickler

import pytest
import torch
from helpers.crack_files import write_set
from helpers.models import batch as make_batch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from csbsr_mm.datasets.packed_collate import PackedBatch, packed_collate


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def tensors_of(batch):
    """Every tensor of a batch, by name."""
    found = {f'inputs {i}': image for i, image in enumerate(batch['inputs'])}
    for i, sample in enumerate(batch['data_samples']):
        found.update({f'{name} {i}': data.data for name, data in sample.items()})
    return found


def assert_equal_batches(first, second):
    left, right = tensors_of(first), tensors_of(second)
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        assert tensor.dtype == right[name].dtype, name
        assert torch.equal(tensor, right[name]), name
    for one, other in zip(first['data_samples'], second['data_samples'], strict=True):
        assert one.metainfo == other.metainfo


def send(batch):
    """What a worker's queue does."""
    return ForkingPickler.loads(bytes(ForkingPickler.dumps(batch)))


def test_samples_arrive_in_one_piece_of_memory():
    sent = make_batch(count=3, ignore=True)
    received = send(PackedBatch(sent))
    assert type(received) is dict
    assert_equal_batches(received, sent)
    labels = {name for name in tensors_of(sent) if name.startswith('gt_sem_seg')}
    memory = {
        tensor.untyped_storage().data_ptr()
        for name, tensor in tensors_of(received).items()
        if name not in labels
    }
    assert len(memory) == 1


@pytest.mark.parametrize(
    'tensor',
    [
        torch.tensor([0, 255]),
        torch.tensor([0, 256]),
        torch.tensor([-1, 3]),
        torch.tensor(7),
        torch.empty(0, 3, dtype=torch.int64),
        torch.tensor([True, False, True]),
        torch.rand(3, 5).to(torch.bfloat16),
        torch.rand(4, 3, dtype=torch.float64).T,
        torch.rand(2, 3, 4).permute(2, 0, 1),
        torch.rand(3, requires_grad=True),
    ],
    ids=lambda tensor: f'{tensor.dtype}-{tuple(tensor.shape)}',
)
def test_any_tensor_arrives(tensor):
    odd = torch.tensor([1], dtype=torch.uint8)
    sample = SegDataSample(metainfo=dict(flip=None))
    sample.set_data(dict(given=tensor, pixels=PixelData(data=torch.zeros(1, 2, 2, dtype=torch.int16))))
    received = send(PackedBatch(inputs=[odd, tensor], data_samples=[sample], more=('text', 1.5, None)))
    for arrived in (received['inputs'][1], received['data_samples'][0].given):
        assert arrived.dtype == tensor.dtype
        assert arrived.requires_grad == tensor.requires_grad
        assert torch.equal(arrived, tensor)
    assert received['more'] == ('text', 1.5, None)
    assert received['data_samples'][0].metainfo == dict(flip=None)


def test_tensors_of_a_parcel_do_not_share_pixels():
    received = send(PackedBatch(make_batch(count=2)))
    before = tensors_of(copy.deepcopy(received))
    received['inputs'][0].fill_(99)
    after = tensors_of(received)
    assert all(torch.equal(after[name], before[name]) for name in before if name != 'inputs 0')


def test_copies_are_deep():
    sent = PackedBatch(make_batch(count=1))
    copied = copy.deepcopy(sent)
    sent['inputs'][0].zero_()
    assert copied['inputs'][0].any()


def test_other_batches_pass():
    assert packed_collate([1, 2]) == pseudo_collate([1, 2])


@pytest.mark.parametrize('workers', [0, 2])
def test_data_loader_gives_the_same_batches(tmp_path, workers):
    """Worker processes and MMEngine's own way of collating differ in nothing that training sees."""
    write_set(tmp_path)
    loader = dict(
        batch_size=2,
        num_workers=workers,
        sampler=dict(type='KeyedInfiniteSampler'),
        dataset=dict(
            type='CrackDataset',
            data_root=str(tmp_path),
            data_prefix=dict(img_path='train/images', seg_map_path='train/masks'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations'),
                dict(type='BinarizeMask'),
                dict(type='BlindDegradation'),
                dict(type='PackBlindSRInputs'),
            ],
        ),
    )
    plain = iter(Runner.build_dataloader({**loader, 'num_workers': 0}, seed=0))
    parcels = iter(Runner.build_dataloader({**loader, 'collate_fn': dict(type='packed_collate')}, seed=0))
    for _ in range(3):
        expected, received = next(plain), next(parcels)
        assert_equal_batches(received, expected)
        assert received['data_samples'][0].gt_sem_seg.data.dtype == torch.int64


def test_files_hold_parcels_too():
    """Plain pickling, as of a batch that is saved to look into it."""
    sent = PackedBatch(make_batch(count=1))
    file = io.BytesIO()
    torch.save(sent, file)
    file.seek(0)
    assert_equal_batches(torch.load(file, weights_only=False), sent)
