import os
import signal
import time

import pytest
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, Dataset

from csbsr_mm.datasets import KeyedInfiniteSampler
from csbsr_mm.engine.hung_workers import LoaderTimeout, WatchedBatches


class Stops(Dataset):
    """The worker that reads one of the files is stopped, as by a debugger or a dead disk."""

    def __len__(self):
        return 20

    def get_data_info(self, index):
        return dict(img_path=f'photos/{index}.png')

    def __getitem__(self, index):
        if index == 9:
            time.sleep(1)  # what the worker has read before is on its way
            os.kill(os.getpid(), signal.SIGSTOP)
        return int(index)


def test_a_hung_worker_is_reported_with_the_files_in_flight():
    dataset = Stops()
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=KeyedInfiniteSampler(dataset, shuffle=False),
        num_workers=2,
        timeout=4,
        collate_fn=pseudo_collate,
    )
    batches = WatchedBatches(loader)
    assert [next(batches) for _ in range(4)] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    begun = time.monotonic()
    with pytest.raises(
        LoaderTimeout, match=r'2 workers in 4 s; in flight were photos/8\.png, photos/9\.png,'
    ) as caught:
        next(batches)
    assert 'photos/7.png' not in str(caught.value)
    assert 'train_dataloader.timeout' in str(caught.value)
    del batches, loader
    assert time.monotonic() - begun < 30


def test_other_errors_and_the_end_pass_through():
    loader = DataLoader(list(range(3)), batch_size=2, collate_fn=list)
    batches = WatchedBatches(loader)
    assert [next(batches), next(batches)] == [[0, 1], [2]]
    with pytest.raises(StopIteration):
        next(batches)
