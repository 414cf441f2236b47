"""Bring CrackForest into our layout: ``csbsr convert-data crackforest``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'crackforest', *sys.argv[1:]]))
