"""Checks of arguments that many components share."""

from __future__ import annotations

from collections.abc import Iterable


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Refuse a value that is none of the choices.

    Args:
        name: Name of the argument.
        value: What was given.
        choices: What is allowed.

    Raises:
        ValueError: ``value`` is none of ``choices``; the message lists them.

    Example:
        >>> check_choice('padding', 'zeros', ('zeros', 'reflect'))
        >>> check_choice('padding', 'zero', ('zeros', 'reflect'))
        Traceback (most recent call last):
        ValueError: padding must be 'zeros' or 'reflect', got 'zero'
    """
    choices = tuple(choices)
    if value in choices:
        return
    names = [repr(choice) for choice in choices]
    listed = ' or '.join(names) if len(names) == 2 else f'one of {", ".join(names)}'
    raise ValueError(f'{name} must be {listed}, got {value!r}')


def check_share(name: str, value: float) -> None:
    """Refuse a value outside [0, 1].

    Args:
        name: Name of the argument.
        value: What was given.

    Raises:
        ValueError: ``value`` is outside [0, 1], or not a number.
    """
    if not 0 <= value <= 1:
        raise ValueError(f'{name} must be in [0, 1], got {value}')
