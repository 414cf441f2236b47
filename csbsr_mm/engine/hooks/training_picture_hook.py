"""Pictures of how far training has come."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from numpy.typing import NDArray
from torch import nn

from csbsr_mm.visualization.panels import draw_panel

from ..random_state import get_random_state, set_random_state
from .scheduled_model import unwrap


@HOOKS.register_module()
class TrainingPictureHook(Hook):
    """Every N iterations, draw LR | SR | HR | kernel | probability | errors of the same few images.

    The picture goes to all backends of the visualizer, as ``progress``: a PNG file in the run's
    ``vis_data/vis_image``, an image in TensorBoard. The images come from the validation set if there is
    one, else from the training set, at equal distances. Drawing changes nothing in the training: the
    model is in evaluation mode, and random generators stay where they were.

    Args:
        interval: Iterations between pictures.
        num_images: Rows of the picture.

    Raises:
        ValueError: A value below 1.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 1000, num_images: int = 3) -> None:
        if interval < 1 or num_images < 1:
            raise ValueError(f'interval and num_images must be >= 1, got {interval} and {num_images}')
        self.interval = interval
        self.num_images = num_images

    def before_train(self, runner: Runner) -> None:
        """Check that the model works on LR images in [0, 1]."""
        model = unwrap(runner.model)
        if not hasattr(model.data_preprocessor, 'scale'):
            raise TypeError(
                f'TrainingPictureHook draws models with a BlindSRDataPreProcessor, {type(model).__name__} '
                f'has {type(model.data_preprocessor).__name__}: take the hook out of the config'
            )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        """Draw, if it is time."""
        if self.every_n_train_iters(runner, self.interval):
            self._draw(runner)

    @master_only
    def _draw(self, runner: Runner) -> None:
        model = unwrap(runner.model)
        loop = runner.val_loop or runner.train_loop
        dataset = loop.dataloader.dataset
        indices = np.unique(np.linspace(0, len(dataset) - 1, self.num_images).round().astype(int))
        mode = model.training
        model.eval()
        random_state = get_random_state()
        with torch.no_grad():
            predicted = [_predict(model, dataset[int(index)]) for index in indices]
        set_random_state(random_state)
        model.train(mode)
        lr_images, samples = zip(*predicted, strict=True)
        runner.visualizer.add_image('progress', draw_panel(samples, lr_images), step=runner.iter + 1)


def _predict(model: nn.Module, item: dict) -> tuple[NDArray, object]:
    """One image's LR input (h, w, 3), RGB in [0, 1], and its data sample with all predictions."""
    data = model.get_submodule('data_preprocessor')(pseudo_collate([item]), False)
    sample = model(**data, mode='predict')[0]
    height, width = sample.metainfo['img_shape'][:2]
    lr_image = data['inputs'][0, :, :height, :width].permute(1, 2, 0).cpu().numpy()
    return lr_image, sample
