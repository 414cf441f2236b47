"""Trained weights that work without a config. Without a further word, list those on board."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .arguments import add_config, add_config_options, add_trust


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION')
    actions.add_parser('list', help='names, sizes and one line each')
    show = actions.add_parser('show', help='everything that is known about weights')
    show.add_argument('source', help='name, path, or URL#sha256=CHECKSUM')
    show.add_argument('--config', action='store_true', help='print the config that they were trained with')
    export = actions.add_parser('export', help='make such a file from a training run')
    add_config(export)
    export.add_argument('checkpoint', help='checkpoint file')
    export.add_argument('out', help='NAME.safetensors')
    export.add_argument('--threshold', type=float, help="probability of a crack pixel (the model's own)")
    export.add_argument(
        '--card', type=Path, metavar='FILE', help='JSON file: summary, licence, data, figures'
    )
    export.add_argument('--full', action='store_true', help='keep single precision (half)')
    add_config_options(export)
    add_trust(export)


def run(args: argparse.Namespace) -> None:
    """List, show or export."""
    if args.action == 'show':
        _show(args.source, args.config)
    elif args.action == 'export':
        _export(args)
    else:
        _list()


def _list() -> None:
    from csbsr_mm.weights import list_weights

    for name, file in list_weights().items():
        size = file.path.stat().st_size / 1e6
        sys.stdout.write(f'{name} ({size:.1f} MB)\n  {file.card.get("summary", "no description")}\n')


def _show(source: str, config: bool) -> None:
    from csbsr_mm.weights import open_weights

    file = open_weights(source)
    lineage = json.loads(file.metadata.get('lineage', '{}'))
    if config:
        sys.stdout.write(lineage.get('config', ''))
        return
    lineage.pop('config', None)
    known = dict(name=file.name, file=str(file.path), sha256=file.metadata['sha256'])
    sys.stdout.write(json.dumps({**known, **file.card, 'lineage': lineage}, indent=1) + '\n')


def _export(args: argparse.Namespace) -> None:
    import csbsr_mm
    from csbsr_mm._extras import need

    if not csbsr_mm.register():
        need('csbsr weights export', 'mmseg')
    from csbsr_mm.engine.config import load_config
    from csbsr_mm.weights.export import export_weights

    card = json.loads(args.card.read_text(encoding='utf-8')) if args.card else None
    config = load_config(args.config, args.cfg_options)
    file = export_weights(
        config,
        args.checkpoint,
        args.out,
        args.threshold,
        card,
        half=not args.full,
        trust_checkpoint=args.trust_checkpoint,
    )
    sys.stdout.write(f'{file.path}: {file.path.stat().st_size / 1e6:.1f} MB\n')
