from .bicubic import BicubicUpsampler
from .dbpn import DBPN
from .identity import IdentitySR
from .kbpn import KBPN
from .srcnet import SrcNet

__all__ = ['DBPN', 'KBPN', 'BicubicUpsampler', 'IdentitySR', 'SrcNet']
