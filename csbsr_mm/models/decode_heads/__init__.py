from .crackformer_head import CrackFormerHead
from .progressive_psp_head import ProgressivePSPHead
from .vgg_unet_head import VGGUNetHead

__all__ = ['CrackFormerHead', 'ProgressivePSPHead', 'VGGUNetHead']
