"""Collation of batches that a worker sends to the training process as one block of memory."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS
from torch import Tensor

ALIGNMENT = 16
"""Tensors begin at multiples of this many bytes, where a value of any type may stand."""


@FUNCTIONS.register_module(name=['packed_collate', 'parcel_collate'])  # the second is its former name
def packed_collate(samples: Sequence[Any]) -> Any:
    """MMEngine's ``pseudo_collate``, whose batches are sent between processes as one block of memory.

    A batch of MMSegmentation is a list of samples of several tensors each. PyTorch sends every tensor through
    shared memory of its own, which the training process requests from the worker. For small images this takes
    as long as making them. Here all tensors of a batch share one block of memory, and labels are sent with
    one byte a pixel instead of eight. The training process gets equal tensors of the same data types. Without
    workers nothing is sent.

    Args:
        samples: Packed samples, dicts of ``inputs`` and ``data_samples``.

    Returns:
        Dict of lists, as ``pseudo_collate`` gives; other batches are passed on as they are.

    Example:
        In a config::

            train_dataloader = dict(collate_fn=dict(type='packed_collate'))
    """
    batch = pseudo_collate(samples)
    return PackedBatch(batch) if type(batch) is dict else batch


class PackedBatch(dict):
    """A batch that is packed when it is pickled; unpickled, it is an ordinary dict."""

    def __reduce__(self) -> tuple:
        return _unpack, _pack(dict(self))


class _Place(NamedTuple):
    """Where a tensor lies in the packed batch; ``sent`` is its data type there, ``dtype`` its own."""

    offset: int
    shape: tuple[int, ...]
    sent: torch.dtype
    dtype: torch.dtype


class _Packer(pickle.Pickler):
    """Writes down everything but tensors; of these, which comes where."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.tensors: list[Tensor] = []

    def persistent_id(self, obj: Any) -> int | None:
        if type(obj) is not Tensor or obj.requires_grad or obj.device.type != 'cpu':
            return None
        self.tensors.append(obj)
        return len(self.tensors) - 1


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, tensors: list[Tensor]) -> None:
        super().__init__(file)
        self.tensors = tensors

    def persistent_load(self, pid: int) -> Tensor:
        return self.tensors[pid]


def _pack(batch: dict) -> tuple[bytes, list[_Place], Tensor]:
    """Everything but tensors; where the tensors lie; the memory that they lie in."""
    file = io.BytesIO()
    packer = _Packer(file)
    packer.dump(batch)
    places, end = [], 0
    for tensor in packer.tensors:
        sent = torch.uint8 if _fits_a_byte(tensor) else tensor.dtype
        places.append(_Place(end, tuple(tensor.shape), sent, tensor.dtype))
        end += -(-tensor.numel() * sent.itemsize // ALIGNMENT) * ALIGNMENT
    memory = torch.empty(end, dtype=torch.uint8)
    for place, tensor in zip(places, packer.tensors, strict=True):
        _view(memory, place).copy_(tensor)
    return file.getvalue(), places, memory


def _unpack(contents: bytes, places: list[_Place], memory: Tensor) -> dict:
    tensors = [_view(memory, place).to(place.dtype) for place in places]
    return _Unpacker(io.BytesIO(contents), tensors).load()


def _view(memory: Tensor, place: _Place) -> Tensor:
    size = torch.Size(place.shape).numel() * place.sent.itemsize
    return memory[place.offset : place.offset + size].view(place.sent).view(place.shape)


def _fits_a_byte(tensor: Tensor) -> bool:
    if tensor.dtype != torch.int64 or not tensor.numel():
        return False
    least, most = tensor.aminmax()
    return least.item() >= 0 and most.item() <= 255
