"""Components of csbsr_mm for codebases with a scope of their own.

One line of a config: ``custom_imports = dict(imports=['csbsr_mm.everywhere'])``.

MMEngine looks a name up in the registries of the default scope and then in its own, the root. Those of
MMSegmentation, where csbsr_mm registers, lie beside them. Importing this module enters the components
into the root registries too: ``type='BoundaryComboLoss'`` is found from every scope. Names that the root
has already stay.
"""

from __future__ import annotations

import mmseg.registry
from mmengine.registry import Registry

import csbsr_mm  # noqa: F401  registers in MMSegmentation's registries


def share() -> dict[str, list[str]]:
    """Enter every component of csbsr_mm into the root registries.

    Returns:
        Names by registry of what is found from every scope now.
    """
    shared: dict[str, list[str]] = {}
    for registry in vars(mmseg.registry).values():
        if not isinstance(registry, Registry):
            continue
        root = registry.root
        ours = {
            key: component
            for key, component in registry.module_dict.items()
            if component.__module__.startswith('csbsr_mm.')
        }
        for key, component in ours.items():
            if key not in root.module_dict:
                root.register_module(name=key, module=component)
        found = [key for key, component in ours.items() if root.module_dict[key] is component]
        if found:
            shared[root.name] = sorted(found)
    return shared


SHARED = share()
