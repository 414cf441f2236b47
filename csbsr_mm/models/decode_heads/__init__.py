from .crackformer_head import CrackFormerHead
from .dsrl_heads import DSRLHead, DSRLReconstructionHead
from .progressive_psp_head import ProgressivePSPHead
from .segnet_head import SegNetHead
from .vgg_unet_head import VGGUNetHead

__all__ = [
    'CrackFormerHead',
    'DSRLHead',
    'DSRLReconstructionHead',
    'ProgressivePSPHead',
    'SegNetHead',
    'VGGUNetHead',
]
