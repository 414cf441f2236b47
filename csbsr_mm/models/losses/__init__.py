from .blind_sr_loss import BlindSRLoss  # noqa: F401
from .boundary_combo_loss import BoundaryComboLoss  # noqa: F401
from .centerline_losses import CenterlineDiceLoss, SkeletonRecallLoss  # noqa: F401
from .feature_affinity_loss import FeatureAffinityLoss  # noqa: F401
from .sr_loss_weights import CrackOrientedWeight, FailOrientedWeight, SegLossWeight  # noqa: F401
