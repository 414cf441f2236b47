"""Train a model from a config; the options are those of MMSegmentation's own train.py."""

from __future__ import annotations

import argparse
import os

from .arguments import add_config, add_config_options, add_launcher, add_trust


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    add_config(parser)
    parser.add_argument('--work-dir', help='where logs and checkpoints go (work_dirs/CONFIG)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='FILE',
        help='go on from the newest checkpoint of the work directory, or from FILE',
    )
    parser.add_argument(
        '--allow-changed',
        nargs='+',
        default=[],
        metavar='KEY',
        help='with --resume: go on although these settings differ from those of the run; all for any',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    add_config_options(parser)
    add_trust(parser)
    add_launcher(parser)


def complete(words: list[str]) -> list[str]:
    """Let a bare ``--resume`` stand before the config, as in MMSegmentation.

    Example:
        >>> complete(['--resume', 'a.py'])
        ['--resume', 'auto', 'a.py']
    """
    completed = []
    for word, following in zip(words, [*words[1:], ''], strict=True):
        completed.append(word)
        if word == '--resume' and following.endswith('.py'):
            completed.append('auto')
    return completed


def run(args: argparse.Namespace) -> None:
    """Train."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    from csbsr_mm.engine.runs import train_model

    train_model(
        args.config,
        args.work_dir,
        args.resume,
        args.amp,
        args.cfg_options,
        args.launcher,
        args.trust_checkpoint,
        args.allow_changed,
    )
