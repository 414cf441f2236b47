"""Without joint learning at the mini scale: KBPN stays as Step 2 left it, the U-Net learns on its images."""

_base_ = './kbpn_unet.py'
default_hooks = dict(
    training_stage=dict(type='TrainingStageHook', stages=[dict(frozen=['sr'], task_weight=1.0)]),
)
