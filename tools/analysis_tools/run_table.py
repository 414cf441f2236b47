"""Run a table of the paper: ``csbsr table``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['table', *sys.argv[1:]]))
