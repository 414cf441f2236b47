"""Score files of predictions against files of masks, whichever model or framework made them."""

from .files import Pair, match, read_mask, read_prediction
from .protocols import PROTOCOLS, measures_of
from .run import score_files

__all__ = ['PROTOCOLS', 'Pair', 'match', 'measures_of', 'read_mask', 'read_prediction', 'score_files']
