"""The tables of the paper: their rows, how each is trained and tested, and the figures it prints."""

from .._extras import need

need('csbsr_mm.tables', 'mmseg', 'rich')
