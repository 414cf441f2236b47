"""``python -m csbsr_mm``: the command ``csbsr`` where its script is not on the path."""

import sys

from csbsr_mm.cli import main

sys.exit(main(sys.argv[1:]))
