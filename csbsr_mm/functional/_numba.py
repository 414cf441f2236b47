"""The compiled kernels of this folder."""

from types import ModuleType

from csbsr_mm.utils.kernels import compiled


def numba_kernels(name: str) -> ModuleType | None:
    """The module ``csbsr_mm.functional.NAME`` of compiled kernels, or None where Numba is not installed."""
    return compiled(f'{__package__}.{name}')
