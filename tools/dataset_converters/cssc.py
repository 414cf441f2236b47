"""Bring CSSC into our layout: ``csbsr convert-data cssc``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'cssc', *sys.argv[1:]]))
