"""Export a model to ONNX: ``csbsr export``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['export', *sys.argv[1:]]))
