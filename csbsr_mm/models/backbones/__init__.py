from .aligned_hrnet import AlignedHRNet
from .crackformer import CrackFormer
from .dilated_resnet import DilatedResNet
from .segnet import SegNet
from .vgg import VGG

__all__ = ['VGG', 'AlignedHRNet', 'CrackFormer', 'DilatedResNet', 'SegNet']
