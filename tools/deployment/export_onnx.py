"""Export a model to ONNX: SR image, crack probability and blur kernel."""

from __future__ import annotations

import argparse
import sys

from mmengine.config import DictAction

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.apis import load_model
from csbsr_mm.engine.config import load_config
from csbsr_mm.onnx.export import check_onnx, export_onnx

TOLERANCE = 1e-4


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', help='ONNX file to write')
    parser.add_argument('--size', type=int, nargs=2, metavar=('H', 'W'), help='input size (448 / scale)')
    parser.add_argument('--batch-size', type=int, default=1, help='images at a time (1)')
    parser.add_argument('--dynamic', action='store_true', help='any batch size, and any sides divisible by 8')
    parser.add_argument('--check', action='store_true', help='compare with torch by running the file')
    parser.add_argument('--crack-class', type=int, help='channel of the crack, for models with many classes')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override config: key=value ...')
    parser.add_argument('--trust-checkpoint', action='store_true', help='see tools/predict.py')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Export and, if asked for, check; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        config = load_config(args.config, args.cfg_options)
        model = load_model(config, args.checkpoint, 'cpu', args.trust_checkpoint)
        size = tuple(args.size or [448 // getattr(model, 'scale', 1)] * 2)
        exported = export_onnx(
            model, args.out, size, args.batch_size, args.dynamic, crack_class=args.crack_class
        )
        if args.check:
            return _check(args, exported, size)
    except (FileNotFoundError, ImportError, ValueError, RuntimeError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    return 0


def _check(args: argparse.Namespace, exported, size: tuple[int, int]) -> int:
    shapes = [(args.batch_size, 3, *size)]
    if args.dynamic:
        other = (size[0] // 16 * 8 + 8, size[1] + 16)
        shapes += [(args.batch_size + 1, 3, *size), (1, 3, *other), (args.batch_size + 1, 3, *other)]
    difference = check_onnx(args.out, exported, shapes)
    verdict = 'equal' if difference <= TOLERANCE else 'DIFFERENT'
    sys.stdout.write(f'onnxruntime and torch are {verdict}: {difference:.1e} at most, for {shapes}\n')
    return 0 if difference <= TOLERANCE else 1


if __name__ == '__main__':
    sys.exit(main())
