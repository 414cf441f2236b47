"""CSBSR with PSPNet, the fail-oriented weight w^F on L_C (Table V); m = 2^-3 ... 2^3 in the paper's sweep.

Both terms of L_C, decode head's and auxiliary head's, are weighted, each by the errors of its own logits.
Another m: `--cfg-options model.segmentor.decode_head.loss_decode.fail_weight_m=1.0
model.segmentor.auxiliary_head.loss_decode.fail_weight_m=1.0`.
"""

_base_ = '../kbpn_pspnet_khanhha.py'
fail_weighted = dict(loss_decode=dict(fail_weight_m=0.5))
model = dict(segmentor=dict(decode_head=fail_weighted, auxiliary_head=fail_weighted))
