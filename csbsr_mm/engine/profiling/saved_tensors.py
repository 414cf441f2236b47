"""How much a forward pass keeps for the backward pass."""

from __future__ import annotations

from torch import Tensor, nn

BYTES_PER_MEBIBYTE = 2**20


class SavedTensors:
    """Counts the storages that autograd keeps, each once; those of the model's parameters do not count.

    The tensors are held, so that no address is used twice.

    Args:
        model: Model, whose parameters do not count.

    Example:
        >>> import torch
        >>> model = nn.Linear(2, 3)
        >>> kept = SavedTensors(model)
        >>> with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
        ...     y = model(torch.rand(2**18, 2))
        >>> kept.mebibytes()
        2.0
    """

    def __init__(self, model: nn.Module) -> None:
        self.parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        self.saved: dict[int, Tensor] = {}

    def __call__(self, tensor: Tensor) -> Tensor:
        """Note a tensor that is saved: the first of autograd's hooks on saved tensors."""
        address = tensor.untyped_storage().data_ptr()
        if address not in self.parameters:
            self.saved[address] = tensor
        return tensor

    def note_arguments(self, _module: nn.Module, args: tuple) -> None:
        """Note what a checkpointed module was called with, in tuples too: a forward pre-hook."""
        for arg in args:
            for tensor in arg if isinstance(arg, tuple) else (arg,):
                if isinstance(tensor, Tensor):
                    self(tensor)

    def mebibytes(self) -> float:
        """What was kept so far."""
        return sum(tensor.untyped_storage().nbytes() for tensor in self.saved.values()) / BYTES_PER_MEBIBYTE
