"""Bring AEL (Aigle-RN, ESAR, LCMS) into our layout: ``csbsr convert-data ael``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'ael', *sys.argv[1:]]))
