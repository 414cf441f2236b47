"""Convert a published checkpoint: ``csbsr convert-checkpoint``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-checkpoint', *sys.argv[1:]]))
