"""Several runs on one test set: find the images on which they differ most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample
from numpy.typing import NDArray
from torch import Tensor, nn

from csbsr_mm.visualization.comparison import ComparedPhoto, ComparedRun

from .model_loading import load_model


class RunModel(NamedTuple):
    """A trained model, the name under which it is compared, and the test set whose inputs it gets."""

    name: str
    model: nn.Module
    dataset: Sequence[dict[str, Any]]


class PhotoScore(NamedTuple):
    """How runs fare on one image of the test set.

    Attributes:
        index: Number of the image.
        ious: IoU by the run's name; 1 where neither mask nor truth has a crack.
        false_alarms: Pixels found where there is no crack, by the run's name; 0 in images with cracks.
        is_clear: Whether the image has no crack.
    """

    index: int
    ious: dict[str, float]
    false_alarms: dict[str, int]
    is_clear: bool

    @property
    def spread(self) -> float:
        """Best IoU minus worst IoU among the runs."""
        return max(self.ious.values()) - min(self.ious.values())


class RunComparison:
    """Predictions of several models on one test set.

    Every model gets the images as its own pipeline makes them: a run that learned on HR photos segments
    HR photos.

    Args:
        runs: Models with their test sets, which must hold the same photos in the same order.
        device: Where to run.

    Raises:
        ValueError: No runs, two of one name, or test sets that differ.
    """

    def __init__(self, runs: Sequence[RunModel], device: str = 'cpu') -> None:
        names = [run.name for run in runs]
        if not names or len(set(names)) < len(names):
            raise ValueError(f'runs need different names, got {names}')
        lengths = {run.name: len(run.dataset) for run in runs}
        if len(set(lengths.values())) > 1:
            raise ValueError(f'runs need test sets of the same photos, but they hold {lengths} images')
        self.runs = list(runs)
        self.device = device

    @classmethod
    def from_files(cls, runs: Sequence[tuple[str, str, str]], device: str = 'cpu') -> RunComparison:
        """From (name, config file, checkpoint file) of each run, each with its own config's test set."""
        models = []
        for name, config, path in runs:
            model = load_model(config, path, device)
            init_default_scope(model.cfg.get('default_scope', 'mmseg'))
            models.append(RunModel(name, model, DATASETS.build(model.cfg.test_dataloader.dataset)))
        return cls(models, device)

    def __len__(self) -> int:
        """Number of images of the test set."""
        return len(self.runs[0].dataset)

    def photo(self, index: int) -> ComparedPhoto:
        """One image with the predictions of all runs.

        Raises:
            ValueError: The runs' test sets have different photos at this place.
        """
        items = [run.dataset[index] for run in self.runs]
        names = [_file_name(item, index) for item in items]
        if len(set(names)) > 1:
            shown = dict(zip((run.name for run in self.runs), names, strict=True))
            raise ValueError(f'image {index} of the test sets is not the same photo: {shown}')
        target = items[0]['data_samples'].gt_sem_seg.data[0].numpy()
        predictions = {
            run.name: self._predict(run.model, item, target)
            for run, item in zip(self.runs, items, strict=True)
        }
        smallest = min(items, key=lambda item: item['inputs'].shape[-1])
        return ComparedPhoto(
            names[0], target, _picture(smallest['inputs']), _hr_image(items, target), predictions
        )

    def scores(self, indices: Sequence[int] | None = None) -> list[PhotoScore]:
        """Scores of images of the test set, all of them by default."""
        indices = range(len(self)) if indices is None else indices
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
    """How the runs fare on one image."""
    known = photo.target != 255
    is_clear = not (photo.target == 1).any()
    ious = {name: iou(run.mask, photo.target) for name, run in photo.runs.items()}
    alarms = {name: int((run.mask & known).sum()) if is_clear else 0 for name, run in photo.runs.items()}
    return PhotoScore(index, ious, alarms, is_clear)


def choose(
    scores: Sequence[PhotoScore], different: int, clear: int, reference: str | None = None
) -> list[int]:
    """The images on which the runs differ most, then the crack-free ones with the most false alarms.

    Args:
        scores: Scores of images.
        different: Number of images with cracks.
        clear: Number of crack-free images.
        reference: Run that must get the crack-free images right, as CSBSR does in the paper's Fig. 11.

    Example:
        >>> def scored(index, spread, alarms, is_clear):
        ...     return PhotoScore(index, dict(a=spread, b=0.0), dict(a=alarms, b=0), is_clear)
        >>> scores = [scored(0, 0.1, 0, False), scored(1, 0.7, 0, False), scored(2, 0.0, 9, True),
        ...           scored(3, 1.0, 4, True), scored(4, 0.0, 0, True)]
        >>> choose(scores, different=1, clear=5), choose(scores, different=1, clear=5, reference='a')
        ([1, 2, 3], [1])
    """
    cracked = sorted((s for s in scores if not s.is_clear), key=lambda s: (-s.spread, s.index))
    right = [s for s in scores if reference is None or s.false_alarms[reference] == 0]
    alarmed = sorted(
        (s for s in right if max(s.false_alarms.values()) > 0),
        key=lambda s: (-max(s.false_alarms.values()), s.index),
    )
    return [s.index for s in [*cracked[:different], *alarmed[:clear]]]


def choose_better(scores: Sequence[PhotoScore], better: str, than: str, count: int) -> list[int]:
    """The images with cracks on which one run beats another by most, as in the paper's Fig. 10.

    Args:
        scores: Scores of images.
        better: Name of the run that should be better.
        than: Name of the other run, such as that of the HR photos.
        count: Number of images, at most; images on which it is not better are left out.

    Example:
        >>> scores = [PhotoScore(index, dict(csbsr=a, hr=b), dict(csbsr=0, hr=0), False)
        ...           for index, (a, b) in enumerate([(0.5, 0.4), (0.9, 0.1), (0.2, 0.3)])]
        >>> choose_better(scores, 'csbsr', 'hr', count=3)
        [1, 0]
    """
    gains = [(s.ious[better] - s.ious[than], s.index) for s in scores if not s.is_clear]
    return [index for gain, index in sorted(gains, key=lambda pair: (-pair[0], pair[1])) if gain > 0][:count]


def iou(mask: NDArray[np.bool_], target: NDArray[np.integer]) -> float:
    """Intersection over union of the crack on known pixels; 1 where neither has any."""
    known, crack = target != 255, target == 1
    either = ((mask | crack) & known).sum()
    return float((mask & crack).sum() / either) if either else 1.0


def _file_name(item: dict, index: int) -> str:
    return str(item['data_samples'].metainfo.get('img_path', index)).rsplit('/', 1)[-1]


def _picture(inputs: Tensor) -> NDArray:
    """RGB in [0, 1], (h, w, 3), of a pipeline's BGR image."""
    return inputs.flip(0).permute(1, 2, 0).float().clamp(0, 255).numpy() / 255


def _hr_image(items: Sequence[dict], target: NDArray) -> NDArray | None:
    """The HR photo: what a pipeline kept of it, or the input of a run that sees it."""
    for item in items:
        if 'gt_hr_img' in item['data_samples']:
            return _picture(item['data_samples'].gt_hr_img.data)
    whole = [item['inputs'] for item in items if tuple(item['inputs'].shape[-2:]) == target.shape]
    return _picture(whole[0]) if whole else None


def _note(mask: NDArray[np.bool_], target: NDArray[np.integer]) -> str:
    if (target == 1).any():
        return f'IoU {iou(mask, target):.2f}'
    return f'{int((mask & (target != 255)).sum())} false px'


def _resize(maps: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return torch.nn.functional.interpolate(maps[None], size, mode=mode)[0]
