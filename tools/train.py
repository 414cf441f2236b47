"""Train a model from a config: ``csbsr train``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['train', *sys.argv[1:]]))
