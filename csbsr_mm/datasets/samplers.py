"""The order in which training draws samples: endless, seeded, and resumable at once.

Every sample that training ever uses has a place in one global order 0, 1, 2, ...: its *draw*.
Augmentation and degradation are keyed by that number, so that a run on one GPU, on six, with any
number of workers, or resumed half way, sees the same crops and the same blur kernels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from mmseg.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


class KeyedIndex(int):
    """An index into a data set that also holds the draw, the position in the training order.

    It is an ``int``, so any data set takes it; it survives the trip to a worker process and the
    arithmetic of MMEngine's ``ConcatDataset`` and ``RepeatDataset``.

    Args:
        index: Index into the data set.
        draw: Position in the global sample order, from 0.
        seed: Seed of the run; the keyed transforms use it unless they have their own.

    Example:
        >>> index = KeyedIndex(7, draw=1000, seed=3)
        >>> index - 5, (index - 5).draw
        (2, 1000)
    """

    draw: int
    seed: int

    def __new__(cls, index: int, draw: int, seed: int = 0) -> KeyedIndex:
        """An int that also holds draw and seed."""
        self = super().__new__(cls, index)
        self.draw, self.seed = draw, seed
        return self

    def __sub__(self, other: int) -> KeyedIndex:
        return KeyedIndex(int(self) - other, self.draw, self.seed)

    def __mod__(self, other: int) -> KeyedIndex:
        return KeyedIndex(int(self) % other, self.draw, self.seed)

    def __reduce__(self):
        return KeyedIndex, (int(self), self.draw, self.seed)


@DATA_SAMPLERS.register_module()
class KeyedInfiniteSampler(Sampler[KeyedIndex]):
    """Endless sampler whose n-th draw depends on the seed and n alone.

    Every epoch goes through the data set once, in an order shuffled by (seed, epoch). Rank r
    of W takes the draws r, r + W, r + 2W, ..., so that W ranks with batch size b see the same
    global batches as one process with batch size W·b.

    Args:
        dataset: The data set, not empty.
        shuffle: Shuffle each epoch; without it the data set's own order repeats.
        seed: Equal on all ranks; drawn and shared between them if None.

    Raises:
        ValueError: The data set is empty.

    Example:
        >>> sampler = KeyedInfiniteSampler(range(3), seed=0)
        >>> epoch = [index for index, _ in zip(sampler, range(3))]
        >>> sorted(epoch), [index.draw for index in epoch]
        ([0, 1, 2], [0, 1, 2])
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        if len(dataset) == 0:
            raise ValueError('cannot sample from an empty data set; check data_root and the folders')
        self.rank, self.world_size = get_dist_info()
        self.size = len(dataset)
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.position = 0

    def set_position(self, draw: int) -> None:
        """Start the next iteration over the sampler at this draw of the global order.

        Nothing is replayed. The position stays where it was set while the sampler is iterated:
        workers fetch ahead, so the number of draws that *training* has used is iterations x global
        batch size, which only the training loop knows.

        Args:
            draw: Draws used so far by all ranks together, >= 0.
        """
        if draw < 0:
            raise ValueError(f'position in the sample order must not be negative, got {draw}')
        self.position = draw

    def skip(self, num_samples: int) -> None:
        """Jump as MMEngine's training loop asks on resume.

        Args:
            num_samples: Samples used so far by each rank, counted from the start of training.
        """
        self.set_position(num_samples * self.world_size)

    def __iter__(self) -> Iterator[KeyedIndex]:
        draw, epoch, order = self.position + self.rank, -1, np.arange(self.size)
        while True:
            if self.shuffle and draw // self.size != epoch:
                epoch = draw // self.size
                order = np.random.default_rng([self.seed, epoch]).permutation(self.size)
            yield KeyedIndex(int(order[draw % self.size]), draw, self.seed)
            draw += self.world_size

    def __len__(self) -> int:
        return self.size
