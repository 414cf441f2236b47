"""Render the demo data set: crack photos with exact masks, no download needed."""

import argparse
import sys

from csbsr_mm.datasets.preparation.demo_cracks import write_crack_demo


def main(argv: list[str]) -> None:
    """Read the command line and render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', nargs='?', default='data/crack_demo', help='folder of the data set')
    parser.add_argument('--train', type=int, default=160, help='number of training photos')
    parser.add_argument('--test', type=int, default=32, help='number of test photos')
    parser.add_argument('--size', type=int, default=256, help='side length in pixels')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, help='processes (default: as many as cores)')
    parser.add_argument('--varied', action='store_true', help='from near and far, open and faint cracks')
    args = parser.parse_args(argv)
    try:
        rendered = write_crack_demo(
            args.root, args.train, args.test, args.size, args.seed, args.workers, args.varied
        )
    except OSError as error:
        sys.exit(f'error: {error}')
    state = f'{rendered} photos rendered' if rendered else 'complete already'
    sys.stdout.write(f'{args.root}: {args.train} training and {args.test} test photos, {state}\n')


if __name__ == '__main__':
    main(sys.argv[1:])
