"""Bring GAPs384 into our layout: ``csbsr convert-data gaps384``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'gaps384', *sys.argv[1:]]))
