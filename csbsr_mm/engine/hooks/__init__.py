from .acceleration_hook import AccelerationHook
from .boundary_map_hook import BoundaryMapHook
from .boundary_rebalance_hook import BoundaryRebalanceHook
from .label_skeleton_hook import LabelSkeletonHook
from .non_finite_loss_hook import NonFiniteLossError, NonFiniteLossHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .save_predictions_hook import SavePredictionsHook
from .stop_signal_hook import StopSignalHook, TrainingStopped
from .task_weight_hook import TaskWeightHook
from .throughput_hook import ThroughputHook
from .training_picture_hook import TrainingPictureHook
from .training_stage_hook import TrainingStageHook
from .watch_workers_hook import WatchWorkersHook

__all__ = [
    'AccelerationHook',
    'BoundaryMapHook',
    'BoundaryRebalanceHook',
    'LabelSkeletonHook',
    'NonFiniteLossError',
    'NonFiniteLossHook',
    'SafeCheckpointHook',
    'SavePredictionsHook',
    'StopSignalHook',
    'TaskWeightHook',
    'ThroughputHook',
    'TrainingPictureHook',
    'TrainingStageHook',
    'TrainingStopped',
    'WatchWorkersHook',
]
