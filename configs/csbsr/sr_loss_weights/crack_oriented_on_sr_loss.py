"""CSBSR with PSPNet, the crack-oriented weight w^C on L_S (Table V); m = 2^-3 ... 2^3 in the paper's sweep.

Another m: `--cfg-options model.sr_loss_weights.0.m=0.125`.
"""

_base_ = '../kbpn_pspnet_khanhha.py'
model = dict(sr_loss_weights=[dict(type='CrackOrientedWeight', m=8.0)])
