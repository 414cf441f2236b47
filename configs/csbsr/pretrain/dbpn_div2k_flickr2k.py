"""Step 1 of CSSR: DBPN on DIV2K and Flickr2K, with L1 as its loss."""

_base_ = './kbpn_div2k_flickr2k.py'
model = dict(
    sr=dict(type='DBPN'),
    sr_loss=dict(hr_weight=1.0, lr_weight=0.0, kernel_weight=0.0),
)
