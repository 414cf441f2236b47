# Everything but data, model, schedule and hooks. custom_imports registers csbsr_mm's components once the
# config is read, also by MMSegmentation's own tools. They read _base_ before (docs/other_codebases.md).
custom_imports = dict(imports=['csbsr_mm'], allow_failed_imports=False)
default_scope = 'mmseg'
randomness = dict(seed=0)  # fixes initial weights, the order of the data, its augmentation and blur
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=1800),
)

# Average over the last ten iterations: losses, their unweighted values, times.
log_processor = dict(by_epoch=False, mean_pattern=r'.*(loss|raw_|time|grad_norm).*')
log_level = 'INFO'
vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(type='BlindSRLocalVisualizer', vis_backends=vis_backends, name='visualizer')

load_from = None
resume = False
