"""Degrade a test set once and store it: ``csbsr convert-data degrade``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'degrade', *sys.argv[1:]]))
