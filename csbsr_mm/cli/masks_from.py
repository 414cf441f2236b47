"""Make training masks of what people drew or corrected in an annotation tool.

csbsr masks-from coco cracks.json --out-dir masks
csbsr masks-from label-studio export.json --out-dir masks --photos photos/
csbsr masks-from cvat annotations.xml --out-dir masks --label Crack
csbsr finetune photos/ masks/ --out mine.safetensors

The exports of `csbsr predict --export` are what to start from.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('format', choices=('coco', 'label-studio', 'cvat'), help='format of FILE')
    parser.add_argument('file', metavar='FILE', help='export of the annotation tool')
    parser.add_argument('--out-dir', required=True, help='folder for the masks')
    parser.add_argument('--label', default='crack', help='label of cracks (crack)')
    parser.add_argument(
        '--scale', type=int, default=1, help='mask pixels per photo pixel; thin cracks need more (1)'
    )
    parser.add_argument(
        '--photos', metavar='FOLDER', help='the photos, to compare sizes and for photos without cracks'
    )


def run(args: argparse.Namespace) -> None:
    """Write the masks and say what could not be drawn."""
    import sys

    from csbsr_mm.inspection.masks_from import write_masks

    done = write_masks(args.file, args.format, args.out_dir, args.label, args.scale, args.photos)
    sys.stdout.write(f'{len(done.files)} masks in {args.out_dir}, {done.without_cracks} without cracks\n')
    for kind, count in done.left_out.items():
        sys.stdout.write(f'left out, as it has no area: {count} x {kind}\n')
    for name in done.vanished:
        sys.stdout.write(f'{name}: the cracks are thinner than a pixel of the mask; raise --scale\n')
    for name in done.unknown_size:
        sys.stdout.write(f'{name}: no cracks, and its size is not in the file; give --photos\n')
