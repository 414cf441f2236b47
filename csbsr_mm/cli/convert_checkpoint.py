"""Convert a checkpoint that the authors of CSBSR publish into one that runs here.

The model is recognised from its parameters; every one of them is renamed, none is left out silently. The
result loads strictly in the config that is named at the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .arguments import add_trust


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('source', type=Path, help='published checkpoint')
    parser.add_argument('target', type=Path, help='checkpoint to write')
    parser.add_argument('--config', help='config of the model, in place of the recognised one')
    add_trust(parser, '--trust')


def run(args: argparse.Namespace) -> None:
    """Convert."""
    from csbsr_mm.apis.official_checkpoint import convert_file

    convert_file(args.source, args.target, args.config, args.trust_checkpoint)
