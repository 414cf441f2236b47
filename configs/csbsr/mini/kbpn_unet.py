"""CSBSR at the mini scale, β = 0.3: KBPN with 2 stages of 32 channels, a U-Net of 0.5 M parameters.

Step 3 alone; `tools/analysis_tools/run_table.py` lets it start from kbpn_step2.py's checkpoint.
"""

_base_ = [
    '../../_base_/models/unet_small.py',
    '../../_base_/datasets/khanhha_mini.py',
    '../../_base_/schedules/csbsr_mini.py',
    '../../_base_/default_runtime.py',
]
model = dict(
    _delete_=True,
    type='BlindSRSegmentor',
    data_preprocessor=dict(size_divisor=2),
    sr=dict(type='KBPN', num_stages=2, channels=32),
    segmentor=_base_.model,
    sr_loss=dict(type='BlindSRLoss'),
    task_weight=0.3,
)
train_dataloader = dict(batch_size=6)
