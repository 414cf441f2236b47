"""Several runs on one test set: find the images that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from torch import Tensor, nn

from csbsr_mm.visualization.comparison import ComparedPhoto, ComparedRun

from .model_loading import load_model


class RunModel(NamedTuple):
    """A trained model and the name under which it is compared."""

    name: str
    model: nn.Module


class PhotoScore(NamedTuple):
    """How runs fare on one image of the test set.

    Attributes:
        index: number of the image.
        spread: best IoU minus worst IoU among the runs.
        false_alarms: most pixels that a run finds where there is no crack.
        is_clear: whether the image has no crack.
    """

    index: int
    spread: float
    false_alarms: int
    is_clear: bool


class RunComparison:
    """Predictions of several models on the test set of one config.

    Args:
        config: config whose test set is used; the LR images that it gives go into every model.
        runs: models by name.
        device: where to run.

    Raises:
        ValueError: no runs, or two of one name.
    """

    def __init__(self, config: Config, runs: Sequence[RunModel], device: str = 'cpu') -> None:
        names = [run.name for run in runs]
        if not names or len(set(names)) < len(names):
            raise ValueError(f'runs need different names, got {names}')
        init_default_scope(config.get('default_scope', 'mmseg'))
        self.dataset = DATASETS.build(config.test_dataloader.dataset)
        self.runs = list(runs)
        self.device = device

    @classmethod
    def from_files(cls, runs: Sequence[tuple[str, str, str]], device: str = 'cpu') -> RunComparison:
        """From (name, config file, checkpoint file) of each run; the first one's test set is used."""
        models = [RunModel(name, load_model(config, path, device)) for name, config, path in runs]
        return cls(models[0].model.cfg, models, device)

    def photo(self, index: int) -> ComparedPhoto:
        """One image with the predictions of all runs."""
        item = self.dataset[index]
        sample = item['data_samples']
        target = sample.gt_sem_seg.data[0].numpy()
        lr_image = item['inputs'].flip(0).permute(1, 2, 0).float().clamp(0, 255).numpy() / 255
        hr_image = None
        if 'gt_hr_img' in sample:
            hr_image = sample.gt_hr_img.data.flip(0).permute(1, 2, 0).float().numpy() / 255
        predictions = {run.name: self._predict(run.model, item, target) for run in self.runs}
        name = str(sample.metainfo.get('img_path', index)).rsplit('/', 1)[-1]
        return ComparedPhoto(name, target, lr_image, hr_image, predictions)

    def scores(self, indices: Sequence[int] | None = None) -> list[PhotoScore]:
        """Scores of images of the test set, all of them by default."""
        indices = range(len(self.dataset)) if indices is None else indices
        return [score(index, self.photo(index)) for index in indices]

    def _predict(self, model: nn.Module, item: dict, target: NDArray) -> ComparedRun:
        sample = SegDataSample(metainfo=item['data_samples'].metainfo)
        with torch.no_grad():
            found = model.test_step(dict(inputs=[item['inputs']], data_samples=[sample]))[0]
        mask = _resize(found.pred_sem_seg.data.float(), target.shape, 'nearest-exact')[0] == 1
        sr_image = None
        if 'sr_img' in found:
            sr_image = _resize(found.sr_img.data, target.shape, 'bilinear').permute(1, 2, 0).cpu().numpy()
        mask = mask.cpu().numpy()
        return ComparedRun(mask, sr_image, _note(mask, target))


def score(index: int, photo: ComparedPhoto) -> PhotoScore:
    """How much the runs differ on one image."""
    values = [iou(run.mask, photo.target) for run in photo.runs.values()]
    known = photo.target != 255
    is_clear = not (photo.target == 1).any()
    alarms = max(int((run.mask & known).sum()) for run in photo.runs.values()) if is_clear else 0
    return PhotoScore(index, max(values) - min(values), alarms, is_clear)


def choose(scores: Sequence[PhotoScore], different: int, clear: int) -> list[int]:
    """The images on which the runs differ most, then the crack-free ones with the most false alarms.

    Example:
        >>> scores = [PhotoScore(0, 0.1, 0, False), PhotoScore(1, 0.7, 0, False), PhotoScore(2, 0.0, 9, True),
        ...           PhotoScore(3, 1.0, 4, True), PhotoScore(4, 0.0, 0, True)]
        >>> choose(scores, different=1, clear=5)
        [1, 2, 3]
    """
    cracked = sorted((s for s in scores if not s.is_clear), key=lambda s: (-s.spread, s.index))
    alarmed = sorted((s for s in scores if s.false_alarms > 0), key=lambda s: (-s.false_alarms, s.index))
    return [s.index for s in [*cracked[:different], *alarmed[:clear]]]


def iou(mask: NDArray[np.bool_], target: NDArray[np.integer]) -> float:
    """Intersection over union of the crack on known pixels; 1 where neither has any."""
    known, crack = target != 255, target == 1
    either = ((mask | crack) & known).sum()
    return float((mask & crack).sum() / either) if either else 1.0


def _note(mask: NDArray[np.bool_], target: NDArray[np.integer]) -> str:
    if (target == 1).any():
        return f'IoU {iou(mask, target):.2f}'
    return f'{int((mask & (target != 255)).sum())} false px'


def _resize(maps: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return torch.nn.functional.interpolate(maps[None], size, mode=mode)[0]
