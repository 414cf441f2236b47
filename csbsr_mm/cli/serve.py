"""Open a local page to try the model: drop photos, move the threshold, see widths, download the results.

csbsr serve                # prints the page's address, for this computer only
csbsr serve --host 0.0.0.0 # for the network, unencrypted; whoever has the printed address gets in

Photos stay on this computer. They are deleted when the server stops (Ctrl-C).
"""

from __future__ import annotations

import argparse
import signal
import sys

LOCAL = ('127.0.0.1', '::1', 'localhost')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('--port', type=int, default=8000, help='port; 0 takes a free one (8000)')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen at (127.0.0.1)')
    parser.add_argument('--open', action='store_true', help='open the page in the browser')
    parser.add_argument('--weights', help='a name, a path or a URL (rendered); see `csbsr weights`')
    parser.add_argument('--device', help='cuda, cuda:1, cpu ... (the GPU if there is one)')
    parser.add_argument('--tile', type=int, help='side of a tile in photo pixels (448 / scale)')
    parser.add_argument('--threshold', type=float, help="probability of a crack pixel (the model's own)")
    parser.add_argument('--max-upload', type=float, default=64, help='largest file in megabytes (64)')
    parser.add_argument('--max-pixels', type=float, default=25, help='largest photo in megapixels (25)')
    parser.add_argument('--max-photos', type=int, default=100, help='most photos at a time (100)')


def run(args: argparse.Namespace) -> None:
    """Serve until interrupted."""
    from csbsr_mm._extras import need

    need('csbsr serve', 'PIL', 'tifffile', 'skimage', 'jinja2', 'cv2')
    from csbsr_mm.apis import CrackInferencer
    from csbsr_mm.inspection.serve.limits import Limits
    from csbsr_mm.inspection.serve.server import serve
    from csbsr_mm.weights import open_weights
    from csbsr_mm.weights.library import DEFAULT

    if not 0 <= args.port < 65536:
        raise ValueError(f'--port must be a port number, got {args.port}')
    limits = Limits(int(1e6 * args.max_upload), int(1e6 * args.max_pixels), args.max_photos)
    weights = args.weights or DEFAULT
    # At once, not when the first photo comes.
    open_weights(weights)

    def load() -> CrackInferencer:
        return CrackInferencer.from_weights(weights, args.device, threshold=args.threshold, tile=args.tile)

    def ready(address: str) -> None:
        if args.host not in LOCAL:
            sys.stdout.write(
                'the page is not encrypted, and open to the network for whoever has its address\n'
            )
        sys.stdout.write(f'{address}\nCtrl-C stops the server and deletes the photos\n')
        sys.stdout.flush()
        if args.open:
            import webbrowser

            webbrowser.open(address)

    # Stopped by another program it cleans up, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(load, args.host, args.port, limits, ready)
    except KeyboardInterrupt:
        sys.stdout.write('stopped\n')
