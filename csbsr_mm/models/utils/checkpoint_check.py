"""Refuse a checkpoint of another architecture instead of loading what happens to fit."""

from __future__ import annotations

from mmengine.logging import print_log
from torch import Tensor, nn

STATISTICS = ('running_mean', 'running_var')


def check_components(model: nn.Module, state_dict: dict[str, Tensor], prefix: str = '') -> None:
    """Check that each component of ``model`` is in the checkpoint as a whole or not at all.

    MMEngine and MMSegmentation load non-strictly: names that do not match are only warned about, and the
    model then runs with random weights. Loading one component on purpose (a pretrained SR network, a
    model without its blur skip) stays possible; a component that fits in parts is an error.

    Args:
        model: The model that is about to load; its direct children are the components.
        state_dict: What the checkpoint holds.
        prefix: Prefix of the model's names in ``state_dict``.

    Raises:
        RuntimeError: A component is incomplete, has names or shapes that the model does not know, or
            nothing in the checkpoint fits.
    """
    names = [name[len(prefix) :] for name in state_dict if name.startswith(prefix)]
    absent, loaded = [], []
    for component, module in model.named_children():
        expected = expected_weights(module)
        if not expected:
            continue
        found = {n[len(component) + 1 :] for n in names if n.startswith(component + '.')}
        if not found:
            absent.append(component)
            continue
        _check_component(component, module, expected, found, state_dict, f'{prefix}{component}.')
        loaded.append(component)
    if absent and not loaded:
        raise RuntimeError(
            f'the checkpoint holds nothing of this {type(model).__name__} ({", ".join(absent)}); its names '
            f'start like {", ".join(sorted(names)[:3]) or "nothing at all"}. It belongs to another model; '
            f'a checkpoint of the authors needs tools/model_converters/csbsr_official.py'
        )
    if absent:
        print_log(
            f'Loaded {", ".join(loaded)}; not in the checkpoint, left as initialised: {", ".join(absent)}',
            logger='current',
        )


def expected_weights(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of parameters and batch-norm statistics, which any checkpoint of the module must hold."""
    weights = {name: tuple(value.shape) for name, value in module.named_parameters()}
    weights.update(
        (name, tuple(value.shape))
        for name, value in module.named_buffers()
        if name.rsplit('.', 1)[-1] in STATISTICS
    )
    return weights


def _check_component(
    component: str,
    module: nn.Module,
    expected: dict[str, tuple[int, ...]],
    found: set[str],
    state_dict: dict[str, Tensor],
    prefix: str,
) -> None:
    missing = sorted(set(expected) - found)
    unexpected = sorted(found - set(module.state_dict()))
    reshaped = [
        f'{name} is {tuple(state_dict[prefix + name].shape)} instead of {shape}'
        for name, shape in expected.items()
        if name in found and tuple(state_dict[prefix + name].shape) != shape
    ]
    problems = [
        f'{len(items)} {what} ({", ".join(items[:3])}{", ..." if len(items) > 3 else ""})'
        for what, items in (
            ('missing', missing),
            ('unexpected', unexpected),
            ('of another shape', reshaped),
        )
        if items
    ]
    if problems:
        raise RuntimeError(
            f'the checkpoint is of another architecture than `{component}` ({type(module).__name__}): '
            f'{"; ".join(problems)}. Use the config that the checkpoint was trained with'
        )
