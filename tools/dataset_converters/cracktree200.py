"""Bring cracktree200 into our layout: ``csbsr convert-data cracktree200``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['convert-data', 'cracktree200', *sys.argv[1:]]))
