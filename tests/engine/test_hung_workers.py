import os
import signal
import time
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from csbsr_mm.datasets import KeyedInfiniteSampler
from csbsr_mm.engine.hooks import WatchWorkersHook
from csbsr_mm.engine.hung_workers import LoaderTimeout, WatchedBatches
from csbsr_mm.engine.runtime import prepare_runtime


class Stops(Dataset):
    """The worker that reads one of the files is stopped, as by a debugger or a dead disk."""

    stop_at = 9

    def __len__(self):
        return 20

    def get_data_info(self, index):
        return dict(img_path=f'photos/{index}.png')

    def __getitem__(self, index):
        if index == self.stop_at:
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


@pytest.mark.parametrize('part', ['val', 'test'])
def test_validation_and_test_name_the_files_too(part, monkeypatch):
    """torch itself says no more than that it timed out; here its third wait does."""
    waits = iter([True, True, False])
    get = _MultiProcessingDataLoaderIter._try_get_data
    monkeypatch.setattr(
        _MultiProcessingDataLoaderIter,
        '_try_get_data',
        lambda self, timeout=60: get(self, 60) if next(waits) else (False, None),
    )
    dataset = Stops()
    dataset.stop_at = None
    loader = DataLoader(dataset, batch_size=1, num_workers=1, timeout=60, collate_fn=pseudo_collate)
    loop = SimpleNamespace(dataloader=loader)
    runner = SimpleNamespace(**{f'{part}_loop': loop})
    for _ in range(2):  # every validation begins with it
        getattr(WatchWorkersHook(), f'before_{part}')(runner)
    assert len(loop.dataloader) == len(dataset)
    assert loop.dataloader.dataset is dataset
    batches = enumerate(loop.dataloader)  # as MMEngine's loops do
    assert [next(batches), next(batches)] == [(0, [0]), (1, [1])]
    with pytest.raises(LoaderTimeout, match=rf'photos/2\.png.*raise {part}_dataloader\.timeout'):
        next(batches)


def test_runs_with_workers_get_the_hook():
    for workers, expected in ((2, ['mmseg.WatchWorkersHook']), (0, [])):
        cfg = prepare_runtime(Config(dict(test_dataloader=dict(num_workers=workers))))
        assert [hook.type for hook in cfg.get('custom_hooks') or []] == expected
    assert prepare_runtime(prepare_runtime(cfg)).get('custom_hooks') is None
