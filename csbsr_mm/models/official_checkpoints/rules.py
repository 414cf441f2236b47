"""Renaming rules: how the published parameters of one network are called here.

A rule is a pair (pattern, replacement). The pattern is a regular expression that must match the whole
published name below its network (``sr_model.`` or ``segmentation_model.`` is taken off); the replacement
is the name here below ``sr.``, ``segmentor.`` or ``blur_skip.``, with ``\\1``, ``\\2``, ... for groups.
The first rule that matches a name wins. Two special replacements:

- ``None``: a published parameter that the network never uses; it is left out.
- ``fold_into('decode_head.bottleneck.bn')``: the bias of a convolution in front of that batch norm, which
  has none here. It is subtracted from the running mean, which gives the same function in inference.

Where several published names lead to one name here (a tensor that is stored twice), the last in the
checkpoint's order wins. Each network has a module with its ``RULES``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

Rule = tuple[str, str | None]

BATCH_NORM = r'(weight|bias|running_mean|running_var|num_batches_tracked)'
"""Pattern of a batch norm's five names, as one group."""

_FOLD = 'fold into running mean: '


def fold_into(batch_norm: str) -> str:
    """Replacement for the bias of a convolution that stands in front of ``batch_norm``."""
    return f'{_FOLD}{batch_norm}.running_mean'


@dataclass
class Renamed:
    """What renaming gave.

    Attributes:
        state: Tensors by their names here.
        origin: Published name by name here.
        unused: Published names that a rule marks as never used.
        folded: Published names of biases that went into a running mean.
        unknown: Published names that no rule matches.
    """

    state: dict[str, Tensor] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def rename(published: Mapping[str, Tensor], rules: Sequence[Rule]) -> Renamed:
    """Rename parameters by the first rule that matches each, then fold biases.

    Example:
        >>> import torch
        >>> rules = [(r'feat\\.(\\d)\\.weight', r'features.\\1.weight'), (r'old\\..*', None)]
        >>> renamed = rename({'feat.0.weight': torch.ones(1), 'old.bias': torch.ones(1)}, rules)
        >>> list(renamed.state), renamed.unused
        (['features.0.weight'], ['old.bias'])
    """
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in rules]
    result, biases = Renamed(), {}
    for name, value in published.items():
        matches = ((pattern.fullmatch(name), replacement) for pattern, replacement in compiled)
        match, replacement = next(((m, r) for m, r in matches if m), (None, None))
        if match is None:
            result.unknown.append(name)
        elif replacement is None:
            result.unused.append(name)
        elif (new := match.expand(replacement)).startswith(_FOLD):
            biases[new.removeprefix(_FOLD)] = value
            result.folded.append(name)
        else:
            result.state[new] = value
            result.origin[new] = name
    for running_mean, bias in biases.items():
        if (mean := result.state.get(running_mean)) is not None:
            result.state[running_mean] = (mean.double() - bias.double()).to(mean.dtype)
    return result
