"""Bring DeepCrack into our layout: ``csbsr convert-data deepcrack``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'deepcrack', *sys.argv[1:]]))
