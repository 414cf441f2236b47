"""Health report of a crack data set: ``csbsr check-data``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['check-data', *sys.argv[1:]]))
