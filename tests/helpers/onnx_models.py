"""Small models with weights that give probabilities of all sizes, for comparing ONNX with torch."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import nn

TINY = dict(type='KBPN', num_stages=1, channels=4, kernel_size=5, estimated_kernel_size=3)


def needs_onnx():
    for package in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(package, reason='the optional ONNX packages are not installed')


def build(config):
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = revert_sync_batchnorm(MODELS.build(ConfigDict(config)))
    for name, parameter in model.named_parameters():
        if name.startswith('segmentor') and parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
        # Logits of trained models are of order ten; with larger ones float32 itself is off by 1e-4.
        if name.endswith('conv_seg.weight'):
            parameter.data *= 0.01
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()
