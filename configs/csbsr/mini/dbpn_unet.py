"""CSSR at the mini scale: DBPN with 2 stages of 32 channels in place of KBPN; L1 as L_S, β = 0.7."""

_base_ = './kbpn_unet.py'
model = dict(
    sr=dict(_delete_=True, type='DBPN', num_stages=2, channels=32),
    sr_loss=dict(hr_weight=1.0, lr_weight=0.0, kernel_weight=0.0),
    task_weight=0.7,
)
