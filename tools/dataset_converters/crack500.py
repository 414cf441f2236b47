"""Bring CRACK500 into our layout: ``csbsr convert-data crack500``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'crack500', *sys.argv[1:]]))
