"""KBPN, the kernelized back-projection network: blind super-resolution that estimates the blur."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from csbsr_mm.utils.checks import check_choice

from .bicubic import enlarge_bicubic
from .blur_kernel import blur_and_sample, normalize_kernel, resize_kernel
from .border_map import BorderMap, convolve, mean_of_convolution
from .checkpointing import checkpointed
from .input_checks import check_blur_kernel, check_kernel_size, check_lr, check_scale
from .layers import RELEASED_INIT, BackProjection, ConvPReLU, SpatialFeatureTransform, projection
from .log_variance_predictor import LogVariancePredictor, corrected_kernel
from .vgg_features import load_vgg_features

leaky_relu = partial(F.leaky_relu, negative_slope=0.01, inplace=True)


@MODELS.register_module()
class KBPN(BaseModule):
    """Kernelized back-projection network: LR image in, SR image and blur kernel out.

    Every stage enlarges the LR features by back-projection, improves its estimate of the blur kernel
    from the intermediate SR image, blurs that image with it, and projects the difference from the LR
    image back into the features. The network represents a kernel as a vector of K*K channels, expanded to
    constant maps. By default convolutions of those maps are computed once per border pattern instead of once
    per pixel (``fold``), which changes no result.

    Args:
        scale: Enlargement, 2, 4 or 8.
        num_stages: Back-projection stages, at least 1.
        channels: Channels of the feature maps.
        kernel_size: Side K of the blur kernel that made the LR image, odd.
        estimated_kernel_size: Side at which the kernel is estimated, odd, at most ``kernel_size``;
            a smaller one is enlarged bicubically. 7 in the released checkpoints, 21 in the paper.
        fold: False computes everything literally: for tests and benchmarks only.
        checkpoint_stages: Recompute each stage in the backward pass instead of keeping its maps.
        blur_method: How the intermediate SR image is blurred, ``'grouped'`` or ``'unfold'``; see
            :func:`~csbsr_mm.models.sr.blur_kernel.blur_and_sample`.
        blur_padding: Values beyond the border of the SR image, ``'zeros'`` as published or ``'replicate'``.
        kernel_estimator: ``'published'`` averages learned features to a kernel; ``'log_variance'`` reads it
            from the texture of the LR image, see :class:`LogVariancePredictor`. Updates then act on the
            kernel's logits and start at zero.
        kernel_updates: Whether the stages improve the estimate; without updates S is half as expensive.
        kernel_code: Length of the code that stands for the kernel where it conditions features, computed
            by a learned linear map; None conditions them on all K*K values, as published.
        vgg_features: ImageNet weights of VGG-16 to start the first four convolutions from:
            ``'imagenet://vgg16'``, an https URL or a local file; None initialises them like the others,
            as released. Needs ``channels=128``.
        init_cfg: Initialisation; None is the released one (Kaiming normal, zero biases).

    Raises:
        ValueError: An argument is outside its range.

    Reference:
        Kondo and Ukita, "Joint Learning of Blind Super-Resolution and Crack Segmentation for
        Realistic Degraded Images", IEEE TIM 2024, Sec. III-A, Fig. 3.

    Example:
        >>> network = KBPN(num_stages=2, channels=8)
        >>> sr_image, blur_kernel = network(torch.rand(1, 3, 5, 7))
        >>> sr_image.shape, blur_kernel.shape
        (torch.Size([1, 3, 20, 28]), torch.Size([1, 1, 21, 21]))
    """

    def __init__(
        self,
        scale: int = 4,
        num_stages: int = 4,
        channels: int = 128,
        kernel_size: int = 21,
        estimated_kernel_size: int = 7,
        fold: bool = True,
        checkpoint_stages: bool = False,
        blur_method: str = 'grouped',
        vgg_features: str | None = None,
        blur_padding: str = 'zeros',
        kernel_estimator: str = 'published',
        kernel_updates: bool = True,
        kernel_code: int | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg or RELEASED_INIT)
        check_scale('KBPN', scale)
        check_kernel_size('KBPN', 'kernel_size', kernel_size)
        check_kernel_size('KBPN', 'estimated_kernel_size', estimated_kernel_size)
        _check_options(num_stages, channels, kernel_size, estimated_kernel_size, blur_method, vgg_features)
        check_choice('KBPN: blur_padding', blur_padding, ('zeros', 'replicate'))
        check_choice('KBPN: kernel_estimator', kernel_estimator, ('published', 'log_variance'))
        self.scale, self.kernel_size = scale, kernel_size
        self.checkpoint_stages, self.vgg_features = checkpoint_stages, vgg_features
        self.fold = fold

        self.features = _vgg_head(channels)
        self.reads_texture = kernel_estimator == 'log_variance'
        predictor = LogVariancePredictor if self.reads_texture else KernelPredictor
        self.kernel_predictor = predictor(channels, kernel_size, estimated_kernel_size)
        self.kernel_code = None if kernel_code is None else nn.Conv2d(kernel_size**2, kernel_code, 1)
        self.stages = nn.ModuleList(
            KBPNStage(
                index,
                channels,
                scale,
                kernel_size,
                estimated_kernel_size,
                last=index == num_stages,
                fold=fold,
                blur_method=blur_method,
                blur_padding=blur_padding,
                condition_channels=kernel_code or kernel_size**2,
                update=None if not kernel_updates else 'logits' if self.reads_texture else 'values',
            )
            for index in range(1, num_stages + 1)
        )
        self.reconstruct = nn.Conv2d(channels * num_stages, 3, 3, padding=1, bias=False)

    def kernel_predictor_modules(self) -> list[str]:
        """Names of the submodules that predict the blur kernel; everything else restores the image.

        The warm-up trains the two groups one after the other: while the true kernel is given as
        ``blur_kernel`` these get no gradient and are frozen, afterwards they alone train.
        """
        updates = [
            f'stages.{i}.kernel_update' for i, s in enumerate(self.stages) if s.kernel_update is not None
        ]
        return ['kernel_predictor', *updates]

    def init_weights(self) -> None:
        """Initialise by ``init_cfg``, then load ``vgg_features``; logit updates start at zero."""
        first_time = not self.is_init
        super().init_weights()
        for stage in self.stages if first_time and self.reads_texture else ():
            if stage.kernel_update is not None:
                nn.init.zeros_(stage.kernel_update.joint_convs[-1].weight)
        if first_time and self.vgg_features is not None:
            load_vgg_features(self.features, self.vgg_features)

    def estimate_kernel(self, lr: Tensor) -> Tensor:
        """First estimate of the blur kernel (B, 1, K, K), before the stages improve it."""
        check_lr('KBPN', lr)
        source = lr if self.reads_texture else self.features(lr)
        return self.kernel_predictor(source).reshape(-1, 1, self.kernel_size, self.kernel_size)

    def forward(self, lr: Tensor, blur_kernel: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Super-resolve, and estimate the blur kernel unless it is given.

        Args:
            lr: (B, 3, h, w), RGB in [0, 1], any size from 1x1.
            blur_kernel: (B, 1, K, K) to use in place of the predicted one everywhere; None to predict.

        Returns:
            SR images (B, 3, s*h, s*w), not clipped, and blur kernels (B, 1, K, K) of unit sum.
        """
        check_lr('KBPN', lr)
        low = self.features(lr)
        if blur_kernel is None:
            given, kernel = None, self.kernel_predictor(lr if self.reads_texture else low)
        else:
            check_blur_kernel('KBPN', blur_kernel, lr.shape[0], self.kernel_size)
            precise = torch.promote_types(lr.dtype, torch.float32)
            blur_kernel = blur_kernel.to(lr.device, precise)
            given = kernel = normalize_kernel(blur_kernel.flatten(1)[..., None, None])
        # Tuples: a checkpointed stage runs again in the backward pass, on what it got the first time.
        high_maps: tuple[Tensor, ...] = ()
        low_maps: tuple[Tensor, ...] = ()
        for stage in self.stages:
            high, new_low, low, kernel = checkpointed(
                stage,
                low,
                lr,
                kernel,
                given,
                high_maps,
                low_maps,
                self.kernel_code,
                enabled=self.checkpoint_stages,
            )
            high_maps, low_maps = (*high_maps, high), (*low_maps, new_low)
        residual = convolve(self.reconstruct, high_maps, self.fold)
        sr_image = residual + enlarge_bicubic(lr, self.scale)
        return sr_image, kernel.reshape(-1, 1, self.kernel_size, self.kernel_size)


class KBPNStage(nn.Module):
    """One stage: enlarge, improve the kernel, correct by the blurred image, reduce, condition.

    Args:
        index: 1 for the first stage.
        channels, scale, kernel_size, estimated_kernel_size, fold, blur_method: As of :class:`KBPN`.
        last: The last stage ends with the SR features: nothing follows that needs LR features.
        blur_padding: As of :class:`KBPN`.
        condition_channels: Length of the vector that conditions the features; K*K by default.
        update: How the kernel is updated: its ``'values'``, its ``'logits'``, or None.
    """

    def __init__(
        self,
        index: int,
        channels: int,
        scale: int,
        kernel_size: int,
        estimated_kernel_size: int,
        last: bool,
        fold: bool = True,
        blur_method: str = 'grouped',
        blur_padding: str = 'zeros',
        condition_channels: int | None = None,
        update: str | None = 'values',
    ) -> None:
        super().__init__()
        self.scale, self.fold = scale, fold
        self.blur_method, self.blur_padding, self.update = blur_method, blur_padding, update
        low_channels, high_channels = channels * max(index - 1, 1), channels * index
        self.up = BackProjection(True, channels, scale, low_channels, fold=fold)
        self.reconstruct = nn.Conv2d(high_channels, 3, 3, padding=1, bias=False)
        self.kernel_update = KernelUpdate(kernel_size, estimated_kernel_size, fold) if update else None
        self.project_error = projection(3, channels, scale, up=True)
        self.down = self.sft = None
        if not last:
            self.down = BackProjection(False, channels, scale, high_channels, fold=fold)
            self.sft = SpatialFeatureTransform(
                high_channels,
                condition_channels or kernel_size**2,
                partial(nn.LeakyReLU, 0.1, inplace=True),
                fold=fold,
            )

    def forward(
        self,
        low: Tensor,
        lr: Tensor,
        kernel: Tensor,
        given_kernel: Tensor | None,
        high_maps: Sequence[Tensor],
        low_maps: Sequence[Tensor],
        kernel_code: nn.Module | None = None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor]:
        """Run the stage.

        Args:
            low: LR features that the stage starts from.
            lr: LR images.
            kernel: Kernel vectors (B, K*K, 1, 1) of unit sum.
            given_kernel: Kernel vectors that replace the updated ones, or None.
            high_maps: SR features of the stages before, oldest first.
            low_maps: LR features of the stages before, oldest first.
            kernel_code: Maps kernel vectors to what conditions the features; None leaves them.

        Returns:
            New SR features, new LR features, the next stage's ``low`` (both None in the last stage),
            and the new kernel vectors.
        """
        high = self.up(low)
        sr_image = convolve(self.reconstruct, [*high_maps, high], self.fold)
        if given_kernel is None:
            kernel = self._updated(kernel, sr_image)
        error = blur_and_sample(sr_image, kernel, self.scale, self.blur_method, self.blur_padding) - lr
        high = high + checkpointed(self.project_error, error.to(lr.dtype), enabled=self.fold)
        if self.down is None:
            return high, None, None, kernel
        new_low = self.down(*high_maps, high)
        condition = kernel if kernel_code is None else kernel_code(kernel)
        next_low = self.sft(torch.cat([*low_maps, new_low], 1), condition)
        return high, new_low, next_low, kernel

    def _updated(self, kernel: Tensor, sr_image: Tensor) -> Tensor:
        if self.kernel_update is None:
            return kernel
        update = self.kernel_update(sr_image, kernel)
        return (
            corrected_kernel(kernel, update) if self.update == 'logits' else normalize_kernel(kernel + update)
        )


class KernelPredictor(nn.Module):
    """Initial kernel from LR features: three convolutions, averaged over the image."""

    def __init__(self, channels: int, kernel_size: int, estimated_kernel_size: int) -> None:
        super().__init__()
        self.kernel_size, self.estimated_size = kernel_size, estimated_kernel_size
        self.layers = nn.Sequential(
            ConvPReLU(channels, channels, 3),
            ConvPReLU(channels, channels, 3),
            ConvPReLU(channels, estimated_kernel_size**2, 3),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, h, w) to kernel vectors (B, K*K, 1, 1) of unit sum."""
        maps = self.layers(features)
        precise = torch.promote_types(maps.dtype, torch.float32)
        mean = maps.mean((2, 3), keepdim=True, dtype=precise)
        return normalize_kernel(resize_kernel(mean, self.estimated_size, self.kernel_size))


class KernelUpdate(nn.Module):
    """Update of the kernel from the intermediate SR image."""

    def __init__(self, kernel_size: int, estimated_kernel_size: int, fold: bool = True) -> None:
        super().__init__()
        self.kernel_size, self.estimated_size, self.fold = kernel_size, estimated_kernel_size, fold
        estimated = estimated_kernel_size**2
        self.image_convs = nn.ModuleList(
            [
                _conv(3, estimated, 3),
                _conv(estimated, 32, 1),
                _conv(32, 32, 3),
                _conv(32, 32, 3),
                _conv(32, estimated, 3),
            ]
        )
        self.kernel_convs = nn.ModuleList(
            [_conv(kernel_size**2, estimated, 3), _conv(estimated, estimated, 3)]
        )
        self.joint_convs = nn.ModuleList(
            [_conv(2 * estimated, 32, 1), _conv(32, 32, 3), _conv(32, estimated, 3)]
        )

    def forward(self, sr_image: Tensor, kernel: Tensor) -> Tensor:
        """SR image (B, 3, H, W) and kernel vectors (B, K*K, 1, 1) to the update (B, K*K, 1, 1)."""
        # Maps of k_est^2 channels at SR resolution, by far the widest, are not kept.
        from_image = checkpointed(self._image_features, sr_image, enabled=self.fold)
        for conv in self.image_convs[2:4]:
            from_image = leaky_relu(conv(from_image))
        joint = checkpointed(self._joint_features, from_image, kernel, enabled=self.fold)
        second, last = self.joint_convs[1:]
        joint = leaky_relu(second(joint))
        if self.fold:
            update = mean_of_convolution(joint, last.weight)
        else:
            update = last(joint).mean((2, 3), keepdim=True)
        return resize_kernel(update, self.estimated_size, self.kernel_size)

    def _image_features(self, sr_image: Tensor) -> Tensor:
        """SR image (B, 3, H, W) to 32 features, by way of k_est^2."""
        wide, narrow = self.image_convs[:2]
        return leaky_relu(narrow(F.relu(wide(sr_image), inplace=True)))

    def _joint_features(self, features: Tensor, kernel: Tensor) -> Tensor:
        """Image features (B, 32, H, W) and kernel vectors to 32 joint features, by way of 2 k_est^2."""
        from_image = leaky_relu(self.image_convs[4](features))
        from_kernel = BorderMap.constant(kernel.to(features.dtype), tuple(features.shape[-2:]), self.fold)
        for conv in self.kernel_convs:
            from_kernel = from_kernel.conv(conv.weight).apply(leaky_relu)
        return leaky_relu(convolve(self.joint_convs[0], [from_image, from_kernel], self.fold))


def _conv(in_channels: int, out_channels: int, kernel_size: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)


def _vgg_head(channels: int) -> nn.Sequential:
    """The first four convolutions of VGG-16, without the max-pool between them."""
    stem = min(64, channels)
    widths = [3, stem, stem, channels, channels]
    layers: list[nn.Module] = []
    for wide, next_wide in pairwise(widths):
        layers += [nn.Conv2d(wide, next_wide, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _check_options(
    num_stages: int,
    channels: int,
    kernel_size: int,
    estimated_kernel_size: int,
    blur_method: str,
    vgg_features: str | None,
) -> None:
    if num_stages < 1:
        raise ValueError(f'KBPN: num_stages must be at least 1, got {num_stages}; the released network has 4')
    if channels < 1:
        raise ValueError(f'KBPN: channels must be at least 1, got {channels}; the released network has 128')
    if estimated_kernel_size > kernel_size:
        raise ValueError(
            f'KBPN: estimated_kernel_size must be at most kernel_size={kernel_size}, got '
            f'{estimated_kernel_size}; an estimate is enlarged, never reduced'
        )
    check_choice('KBPN: blur_method', blur_method, ('grouped', 'unfold'))
    if vgg_features is not None and channels != 128:
        raise ValueError(
            f'KBPN: VGG-16 features have 128 channels, got channels={channels}; use 128 or leave them out'
        )
