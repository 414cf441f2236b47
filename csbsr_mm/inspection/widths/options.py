"""What a command line says about widths: errors of the model, and classes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from csbsr_mm.weights import open_weights

from .classes import WidthClasses, width_classes
from .errors import WidthErrors, find_errors

DEFAULT_CLASSES = 'eurocode2'


class WidthOptions(NamedTuple):
    """How a report judges widths.

    Attributes:
        errors: Errors of the model; None if they are not known.
        classes: Limits of width; None for none.
        colored: Whether classes colour the overlays.
    """

    errors: WidthErrors | None = None
    classes: WidthClasses | None = None
    colored: bool = False

    def stored(self) -> dict[str, Any]:
        """What a report's summary keeps of them."""
        return dict(
            width_errors=None if self.errors is None else self.errors.as_dict(),
            width_classes=None if self.classes is None else asdict(self.classes),
            width_colors=self.colored,
        )


def width_options(args: argparse.Namespace, summary: Mapping[str, Any] | None = None) -> WidthOptions:
    """Read the options, or what a report was made with where they are not given.

    Args:
        args: With ``width_classes``, ``width_errors`` and, for a new report, ``weights``.
        summary: Content of the ``summary.json`` of the report that is written anew.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: An option is not what it should be.
    """
    stored = summary or {}
    if args.width_classes is not None:
        classes = width_classes(args.width_classes)
    elif summary is None:
        classes = width_classes(DEFAULT_CLASSES)
    else:
        known = stored.get('width_classes')
        classes = None if known is None else WidthClasses(tuple(known['limits']), known['source'])
    colored = stored.get('width_colors', False) if args.width_classes is None else classes is not None
    return WidthOptions(_errors(args, summary), classes, colored)


def _errors(args: argparse.Namespace, summary: Mapping[str, Any] | None) -> WidthErrors | None:
    if args.width_errors is not None:
        return WidthErrors.read(args.width_errors)
    if summary is not None:
        known = summary.get('width_errors')
        return None if known is None else WidthErrors.from_dict(known)
    if getattr(args, 'config', None) is not None or not getattr(args, 'weights', None):
        return None
    file = open_weights(args.weights)
    return find_errors(file.path, file.metadata['sha256'])
