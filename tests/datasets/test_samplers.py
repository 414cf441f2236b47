"""The sample order: complete epochs, equal on any number of ranks, resumable without replay."""

import itertools
import pickle

import numpy as np
import pytest
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import DATA_SAMPLERS

from csbsr_mm.datasets.keyed_dataset import KeyedDataset
from csbsr_mm.datasets.samplers import KeyedIndex, KeyedInfiniteSampler


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def take(sampler, count):
    return list(itertools.islice(iter(sampler), count))


def on_rank(monkeypatch, rank, world_size, **kwargs):
    monkeypatch.setattr('csbsr_mm.datasets.samplers.get_dist_info', lambda: (rank, world_size))
    return KeyedInfiniteSampler(range(10), **kwargs)


def test_each_epoch_is_a_new_permutation():
    order = take(KeyedInfiniteSampler(range(10), seed=1), 40)
    epochs = [order[start : start + 10] for start in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert [index.draw for index in order] == list(range(40))
    assert order != take(KeyedInfiniteSampler(range(10), seed=2), 40)
    assert take(KeyedInfiniteSampler(range(4), shuffle=False, seed=0), 6) == [0, 1, 2, 3, 0, 1]


def test_ranks_share_the_global_order(monkeypatch):
    single = take(on_rank(monkeypatch, 0, 1, seed=3), 60)
    ranks = [take(on_rank(monkeypatch, rank, 3, seed=3), 20) for rank in range(3)]
    interleaved = list(itertools.chain(*zip(*ranks, strict=True)))
    assert interleaved == single
    assert [i.draw for i in interleaved] == [i.draw for i in single]


@pytest.mark.parametrize('world_size', [1, 2])
def test_resume_equals_a_run_never_stopped(monkeypatch, world_size):
    whole = take(on_rank(monkeypatch, world_size - 1, world_size, seed=5), 50)
    resumed = on_rank(monkeypatch, world_size - 1, world_size, seed=5)
    resumed.skip(23)
    assert take(resumed, 27) == whole[23:]
    resumed.set_position(23 * world_size)
    assert [i.draw for i in take(resumed, 27)] == [i.draw for i in whole[23:]]
    with pytest.raises(ValueError, match='must not be negative, got -1'):
        resumed.set_position(-1)


def test_a_far_position_generates_one_permutation_only(monkeypatch):
    calls = []
    make = np.random.default_rng
    monkeypatch.setattr(np.random, 'default_rng', lambda key: calls.append(key) or make(key))
    sampler = KeyedInfiniteSampler(range(10), seed=0)
    sampler.set_position(10**12 + 3)
    assert take(sampler, 2)[0].draw == 10**12 + 3
    assert calls == [[0, 10**11]]


def test_index_survives_workers_and_wrappers():
    index = pickle.loads(pickle.dumps(KeyedIndex(7, draw=40, seed=9)))
    assert (index, index.draw, index.seed) == (7, 40, 9)

    class Numbers(KeyedDataset, BaseDataset):
        def load_data_list(self):
            return [{'n': n} for n in range(5)]

        def prepare_data(self, idx):
            return self.drawn_info(idx)

    both = ConcatDataset([Numbers(), Numbers()])
    assert both[KeyedIndex(7, 40, 9)]['draw'] == 40
    sample = RepeatDataset(Numbers(), times=3)[KeyedIndex(12, 40, 9)]
    assert (sample['n'], sample['draw'], sample['draw_seed']) == (2, 40, 9)
    assert 'draw' not in Numbers()[2]


def test_runner_builds_it_and_jumps():
    loader = Runner.build_dataloader(
        dict(
            batch_size=4,
            num_workers=0,
            dataset=list(range(10)),
            sampler=dict(type='KeyedInfiniteSampler'),
            collate_fn=dict(type='pseudo_collate'),
        ),
        seed=11,
    )
    assert loader.sampler.seed == 11
    assert len(loader.sampler) == 10
    assert DATA_SAMPLERS.get('KeyedInfiniteSampler') is KeyedInfiniteSampler


def test_empty_data_set_is_refused():
    with pytest.raises(ValueError, match='empty data set; check data_root'):
        KeyedInfiniteSampler([])
