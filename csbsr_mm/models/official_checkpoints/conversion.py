"""Turn a published checkpoint into the state dict of a model built here, or say what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from .recognition import OfficialModel
from .rules import rename

BATCH_NORM_STATISTICS = ('running_mean', 'running_var', 'num_batches_tracked')


@dataclass(frozen=True)
class Converted:
    """A converted checkpoint.

    Attributes:
        state: Complete state dict of the model; loads strictly.
        unused: Published names that the network never uses.
        folded: Published biases that were folded into a batch norm.
        added: Buffers here that the publication lacks (schedule state), as the model was built.
    """

    state: dict[str, Tensor]
    unused: list[str]
    folded: list[str]
    added: list[str]


def convert(published: Mapping[str, Tensor], official: OfficialModel, model: nn.Module) -> Converted:
    """Rename every published parameter to the names of ``model``.

    Args:
        published: Parameters by their published names, without ``module.``.
        official: What :func:`~.recognition.recognise` made of them.
        model: The model of the matching config.

    Raises:
        KeyError: A parameter is missing or unexpected, or has another shape; all of them by name.
    """
    state, origin, unused, folded, problems = {}, {}, [], [], []
    left = dict(published)
    for (theirs, ours), rules in official.rules.items():
        part = {name.removeprefix(theirs): left.pop(name) for name in list(left) if name.startswith(theirs)}
        renamed = rename(part, rules)
        state.update((ours + name, value) for name, value in renamed.state.items())
        origin.update((ours + name, theirs + old) for name, old in renamed.origin.items())
        unused += [theirs + name for name in renamed.unused]
        folded += [theirs + name for name in renamed.folded]
        problems += [f'unexpected {theirs}{name}' for name in renamed.unknown]
    problems += [f'unexpected {name}' for name in left]

    expected = model.state_dict()
    for name, value in state.items():
        if name not in expected:
            problems.append(f'unexpected {origin[name]} (it would be {name})')
        elif value.shape != expected[name].shape:
            problems.append(
                f'{origin[name]} has shape {tuple(value.shape)}, {name} needs {tuple(expected[name].shape)}'
            )
    parameters = {name for name, _ in model.named_parameters()}
    absent = [name for name in expected if name not in state]
    required = [n for n in absent if n in parameters or n.rsplit('.', 1)[-1] in BATCH_NORM_STATISTICS]
    problems += [f'missing {name}' for name in required]
    if problems:
        raise KeyError(f'{len(problems)} parameters do not fit {official.config}: {"; ".join(problems)}')
    added = [name for name in absent if name not in required]
    state.update((name, expected[name]) for name in added)
    return Converted({name: state[name] for name in expected}, unused, folded, added)
