"""DeepLabV3+ (ResNet-50) as MMSegmentation has it, on whole crack photos, with the boundary combo loss."""

_base_ = [
    'mmseg::_base_/models/deeplabv3plus_r50-d8.py',
    '../_base_/datasets/crack_hr.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_40k.py',
]
custom_imports = dict(imports=['csbsr_mm'], allow_failed_imports=False)

model = dict(
    data_preprocessor=dict(size=(448, 448)),
    decode_head=dict(num_classes=2, loss_decode=dict(type='BoundaryComboLoss')),
    auxiliary_head=dict(num_classes=2, loss_decode=dict(type='BoundaryComboLoss', loss_weight=0.4)),
)
# 0.01 an epoch, the paper's pace, would end at 0.26 after these 26 epochs.
default_hooks = dict(boundary_rebalance=dict(type='BoundaryRebalanceHook', fraction=1.0))
