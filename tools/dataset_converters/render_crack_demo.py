"""Render the demo data set: ``csbsr render-demo``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['render-demo', *sys.argv[1:]]))
