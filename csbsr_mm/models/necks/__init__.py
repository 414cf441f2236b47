from .blur_skip_neck import BlurSkipNeck

__all__ = ['BlurSkipNeck']
