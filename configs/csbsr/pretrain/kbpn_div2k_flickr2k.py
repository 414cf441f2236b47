"""Step 1: KBPN on DIV2K and Flickr2K; nothing of a segmentor is built.

Steps 2 and 3 start from it with
`--cfg-options load_from=work_dirs/kbpn_div2k_flickr2k/iter_200000.pth`.
"""

_base_ = [
    '../../_base_/datasets/div2k_flickr2k.py',
    '../../_base_/schedules/sr_pretrain_200k.py',
    '../../_base_/default_runtime.py',
]
model = dict(
    type='BlindSRPretrainer',
    sr=dict(type='KBPN'),
    sr_loss=dict(type='BlindSRLoss'),
)
