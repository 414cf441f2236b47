"""Check that all processes of a distributed run hold the same numbers."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce, broadcast, get_rank, get_world_size
from torch import nn


def check_ranks_agree(model: nn.Module, moment: str) -> None:
    """Compare the parameters of all ranks with those of rank 0.

    Distributed training keeps ranks equal by adding up gradients; a parameter that is left out of that
    diverges without any error. Sums in float64 find it.

    Args:
        model: The model, without its distributed wrapper.
        moment: When this is, for the message.

    Raises:
        RuntimeError: On every rank, if any rank differs.
    """
    if get_world_size() == 1:
        return
    parameters = dict(model.named_parameters())
    own = torch.stack([torch.stack(_sums(value)) for value in parameters.values()])
    reference = own.clone()
    broadcast(reference, src=0)
    differs = (own != reference).any(1) & ~(own.isnan() & reference.isnan()).all(1)
    anywhere = differs.to(own)
    all_reduce(anywhere, op='max')
    if anywhere.any():
        names = [name for name, flag in zip(parameters, anywhere, strict=True) if flag]
        raise RuntimeError(
            f'ranks hold different parameters {moment}: {len(names)} of {len(parameters)} differ, first '
            f'{names[0]} (seen by rank {get_rank()}). Were parameters frozen before the model was wrapped? '
            f'Freeze with TrainingStageHook, and keep find_unused_parameters=True'
        )


def _sums(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum and sum of squares of a tensor, in float64."""
    value = value.detach().double()
    return value.sum(), value.square().sum()
