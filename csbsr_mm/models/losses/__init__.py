from .feature_affinity_loss import FeatureAffinityLoss  # noqa: F401
