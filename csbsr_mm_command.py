"""What the command ``csbsr`` starts. While it runs, ``import csbsr_mm`` registers nothing by itself.

The sub-command that needs MMSegmentation registers. So ``csbsr --help`` answers at once, although importing
MMSegmentation takes seconds.
"""

import sys

running = False


def main() -> int:
    """Run ``csbsr`` with the arguments of this process; returns the exit status."""
    global running
    running = True
    from csbsr_mm.cli import main as run

    return run(sys.argv[1:])
