"""Test a checkpoint: ``csbsr test``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['test', *sys.argv[1:]]))
