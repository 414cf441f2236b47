"""The authors' published checkpoints: recognise them, and rename their parameters to ours."""

from .conversion import Converted, convert
from .recognition import OfficialModel, clean_names, recognise

__all__ = ['Converted', 'OfficialModel', 'clean_names', 'convert', 'recognise']
