"""Arguments that several sub-commands have."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class ConfigOptions(argparse.Action):
    """``KEY=VALUE`` words, read by MMEngine's rules; MMEngine is imported when there are some."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add the words to what was given before."""
        from csbsr_mm._extras import need

        need('--cfg-options', 'mmengine')
        from mmengine.config import DictAction

        DictAction(self.option_strings, self.dest, nargs='+')(parser, namespace, values, option_string)


def add_config(parser: argparse.ArgumentParser) -> None:
    """The positional argument ``config``."""
    parser.add_argument('config', help='config file, or a name that `csbsr configs` lists')


def add_config_options(parser: argparse._ActionsContainer) -> None:
    """``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override entries of the config',
    )


def add_trust(parser: argparse._ActionsContainer, *older_names: str) -> None:
    """``--trust-checkpoint``, and what it was called before."""
    parser.add_argument(
        '--trust-checkpoint',
        *older_names,
        action='store_true',
        help='also read checkpoints that could run code; only for files from people you trust',
    )


def add_crack_rules(parser: argparse._ActionsContainer) -> None:
    """``--min-area``, ``--min-length``, ``--min-elongation`` and ``--peak``."""
    parser.add_argument('--min-area', type=float, help='least area of a crack, photo pixels (4)')
    parser.add_argument('--min-length', type=float, help='least length of a crack, photo pixels (5)')
    parser.add_argument(
        '--min-elongation', type=float, help='least ratio of length to width; pores and holes have less (3)'
    )
    parser.add_argument(
        '--peak',
        type=float,
        help='probability that a crack must reach somewhere; with a lower --threshold, hysteresis (none)',
    )


def add_export(parser: argparse._ActionsContainer, where: str) -> None:
    """``--export``.

    Args:
        parser: Where it goes.
        where: Folder that the files are written to, in words.
    """
    from csbsr_mm.inspection.exports import FORMATS

    parser.add_argument(
        '--export',
        metavar='FORMAT,...',
        help=f'also write the cracks for other tools, into {where}: {", ".join(FORMATS)}',
    )


def add_scales(parser: argparse._ActionsContainer) -> None:
    """How large a pixel is on the wall: ``--mm-per-pixel``, ``--scales`` and what else tells it."""
    parser.add_argument('--mm-per-pixel', type=float, help='millimetres per photo pixel on the wall')
    parser.add_argument(
        '--scales', metavar='CSV', help='table photo,mm_per_pixel[,std]: the scale of each photo'
    )
    parser.add_argument(
        '--wall-distance',
        type=number_with_std,
        metavar='M[,STD]',
        help='metres from the camera to the wall (what the photo says), for the scale by the focal length',
    )
    parser.add_argument(
        '--sensor-width',
        type=float,
        metavar='MM',
        help="long side of the camera's sensor (what the photo says)",
    )
    parser.add_argument(
        '--marker-size',
        type=number_with_std,
        metavar='MM[,STD]',
        help='look for ArUco markers, black squares with sides of so many millimetres',
    )
    parser.add_argument('--marker-dictionary', metavar='NAME', help='their set in OpenCV (4X4_50)')
    parser.add_argument(
        '--scale-order',
        metavar='LIST',
        help='where to take the scale from, the first that gives one (table,camera,marker,number)',
    )


def add_width_rules(parser: argparse._ActionsContainer) -> None:
    """``--width-classes`` and ``--width-errors``."""
    parser.add_argument(
        '--width-classes',
        metavar='LIMITS',
        help='classes of width in mm: eurocode2, aci224r, limits like 0.2,0.3,0.4, or none; given, they also '
        'colour the overlays (eurocode2 where the scale is known)',
    )
    parser.add_argument(
        '--width-errors',
        metavar='JSON',
        help="the model's errors of width, see tools/analysis_tools/width_bias.py (those beside the weights)",
    )


def number_with_std(text: str) -> tuple[float, float | None]:
    """A number, and after a comma its standard deviation.

    Example:
        >>> number_with_std('5'), number_with_std('5,0.1')
        ((5.0, None), (5.0, 0.1))
    """
    number, comma, std = text.partition(',')
    return float(number), float(std) if comma else None


def add_launcher(
    parser: argparse._ActionsContainer, choices: Sequence[str] = ('none', 'pytorch', 'slurm', 'mpi')
) -> None:
    """``--launcher`` and ``--local_rank``, which launchers set."""
    parser.add_argument(
        '--launcher',
        choices=choices,
        default='none',
        help='who started the processes (none)',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by launchers')


def add_workers(parser: argparse.ArgumentParser) -> None:
    """``--workers``."""
    parser.add_argument('--workers', type=int, help='processes (as many as cores)')
