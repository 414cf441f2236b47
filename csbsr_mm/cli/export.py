"""Export a model to ONNX: SR image, crack probability and blur kernel."""

from __future__ import annotations

import argparse
import sys

from .arguments import add_config, add_config_options, add_trust

TOLERANCE = 1e-4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    add_config(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        'out',
        help='.onnx file to write, which predicts each tile by itself; or a folder, for a model with '
        'super-resolution, which handles a photo as one as the checkpoint does',
    )
    parser.add_argument('--size', type=int, nargs=2, metavar=('H', 'W'), help='input size (448 / scale)')
    parser.add_argument('--batch-size', type=int, default=1, help='images at a time (1)')
    parser.add_argument('--dynamic', action='store_true', help='any batch size, and any sides divisible by 8')
    parser.add_argument('--check', action='store_true', help='compare with torch by running the file')
    parser.add_argument('--crack-class', type=int, help='channel of the crack, for models with many classes')
    add_config_options(parser)
    add_trust(parser)


def run(args: argparse.Namespace) -> int:
    """Export and, if asked for, check; 1 if the check fails."""
    from csbsr_mm.apis import load_model
    from csbsr_mm.engine.config import load_config
    from csbsr_mm.onnx.export import check_onnx, export_onnx
    from csbsr_mm.onnx.stages import check_stages, export_stages

    config = load_config(args.config, args.cfg_options)
    model = load_model(config, args.checkpoint, 'cpu', args.trust_checkpoint)
    size = tuple(args.size or [448 // getattr(model, 'scale', 1)] * 2)
    if not args.out.endswith('.onnx'):
        options = dict(size=size, batch_size=args.batch_size, dynamic=args.dynamic)
        export_stages(model, args.out, crack_class=args.crack_class, **options)
        return _verdict(check_stages(args.out, model, args.crack_class), 'each stage') if args.check else 0
    exported = export_onnx(model, args.out, size, args.batch_size, args.dynamic, crack_class=args.crack_class)
    if not args.check:
        return 0
    shapes = _shapes(args.batch_size, size, args.dynamic)
    return _verdict(check_onnx(args.out, exported, shapes), str(shapes))


def _verdict(difference: float, what: str) -> int:
    verdict = 'equal' if difference <= TOLERANCE else 'DIFFERENT'
    sys.stdout.write(f'onnxruntime and torch are {verdict}: {difference:.1e} at most, for {what}\n')
    return 0 if difference <= TOLERANCE else 1


def _shapes(batch_size: int, size: tuple[int, int], dynamic: bool) -> list[tuple[int, int, int, int]]:
    """Inputs to check with; of a dynamic graph also other batches and sizes."""
    shapes = [(batch_size, 3, *size)]
    if dynamic:
        other = (size[0] // 16 * 8 + 8, size[1] + 16)
        shapes += [(batch_size + 1, 3, *size), (1, 3, *other), (batch_size + 1, 3, *other)]
    return shapes
