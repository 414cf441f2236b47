from .bicubic import BicubicUpsampler
from .dbpn import DBPN
from .identity import IdentitySR
from .kbpn import KBPN

__all__ = ['DBPN', 'KBPN', 'BicubicUpsampler', 'IdentitySR']
