"""SegFormer-B0 as MMSegmentation has it, on whole crack photos, with the boundary combo loss."""

_base_ = [
    'mmseg::_base_/models/segformer_mit-b0.py',
    '../_base_/datasets/crack_hr.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_40k.py',
]
custom_imports = dict(imports=['csbsr_mm'], allow_failed_imports=False)

model = dict(
    data_preprocessor=dict(size=(448, 448)),
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://mmassets.onedl.ai/mmsegmentation/v0.5/pretrain/segformer/'
            'mit_b0_20220624-7e0fe6dd.pth',
        )
    ),
    decode_head=dict(num_classes=2, loss_decode=dict(type='BoundaryComboLoss')),
)
# 0.01 an epoch, the paper's pace, would end at 0.26 after these 26 epochs.
default_hooks = dict(boundary_rebalance=dict(type='BoundaryRebalanceHook', fraction=1.0))

# A transformer wants Adam; the rates are those of MMSegmentation's own SegFormer configs.
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(
        custom_keys={
            'pos_block': dict(decay_mult=0.0),
            'norm': dict(decay_mult=0.0),
            'head': dict(lr_mult=10.0),
        }
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=1500),
    dict(type='PolyLR', eta_min=0.0, power=1.0, begin=1500, end=40000, by_epoch=False),
]
