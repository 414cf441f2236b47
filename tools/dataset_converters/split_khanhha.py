"""Divide training photos into training and validation: ``csbsr convert-data split``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'split', *sys.argv[1:]]))
