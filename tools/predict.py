"""Find cracks in photos: ``csbsr predict``."""

import sys

from csbsr_mm.cli import main

if __name__ == '__main__':
    sys.exit(main(['predict', *sys.argv[1:]]))
