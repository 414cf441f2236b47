"""Crack photographs with masks, in the layout of the Khanhha set."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import DATASETS

from .image_files import list_images, reading_error, shared_masks
from .keyed_dataset import KeyedDataset
from .transforms.binarize_mask import MOSTLY_CRACK, BinarizeMask, crack_share

LOOKED_AT = 16
"""Masks that are read before training, to see whether they are inverted."""

SHOWN = 5
"""File names that an error message lists before it breaks off."""


@DATASETS.register_module()
class CrackDataset(KeyedDataset, BaseSegDataset):
    """Photos and masks of the same file name: ``DATA/{train,test}/{images,masks}/X.jpg``.

    A mask may have another suffix than its image (``X.jpg`` and ``X.png``). Masks are made binary by
    :class:`BinarizeMask`; a pipeline that loads them without it gets it added after
    ``LoadAnnotations``, because grey values would otherwise count as class numbers.

    Args:
        data_root: Root of the data.
        data_prefix: Folders below it: ``img_path`` and, unless there are no masks, ``seg_map_path``.
        ann_file: Text file below ``data_root`` with one image file name per line; all images if ''.
        mask_threshold: Grey value above which a pixel is crack, for the added ``BinarizeMask``.
        **kwargs: As in MMSegmentation's ``BaseSegDataset`` (``pipeline``, ``indices``, ...).

    Raises:
        FileNotFoundError: A folder, the list, an image of the list or a mask is missing.
        OSError: An image or mask cannot be read (when it is asked for).
        ValueError: An image and its mask differ in size, a mask's values are unexpected, or two images would
            share a mask.
    """

    METAINFO = {'classes': ('background', 'crack'), 'palette': [[0, 0, 0], [255, 64, 64]]}

    def __init__(
        self,
        data_root: str | None = None,
        data_prefix: dict | None = None,
        ann_file: str = '',
        mask_threshold: int = 127,
        **kwargs,
    ) -> None:
        data_prefix = data_prefix or {'img_path': 'images', 'seg_map_path': 'masks'}
        super().__init__(ann_file=ann_file, data_root=data_root, data_prefix=dict(data_prefix), **kwargs)
        self._require_binary_masks(mask_threshold)
        if not self.test_mode:
            self._warn_of_doubtful_data(mask_threshold)

    def load_data_list(self) -> list[dict]:
        """One entry per image, in the order of the list or of the names."""
        images = Path(self.data_prefix['img_path'])
        names = self._select(list_images(images))
        masks = self._masks_of(names)
        common = {'label_map': None, 'reduce_zero_label': False, 'seg_fields': []}
        return [
            {'img_path': str(images / name), **({'seg_map_path': mask} if mask else {}), **common}
            for name, mask in zip(names, masks, strict=True)
        ]

    def prepare_data(self, idx: int) -> dict:
        """Sample ``idx`` after the pipeline, with the draw it was asked for by."""
        info = self.drawn_info(idx)
        paths = [info[key] for key in ('img_path', 'seg_map_path') if key in info]
        try:
            return self.pipeline(info)
        except Exception as error:
            # Decoders fail in many ways and without the path; ask which file it was only then.
            for path in paths:
                reason = reading_error(path)
                if reason:
                    raise OSError(
                        f'{path} cannot be read ({reason}); restore it or leave it out of the list'
                    ) from error
            raise

    def _select(self, names: list[str]) -> list[str]:
        """The images that the list names, in its order; all without a list."""
        if not self.ann_file:
            return names
        listing = Path(self.ann_file)
        if not listing.is_file():
            raise FileNotFoundError(
                f'there is no list {listing}; write it with '
                'tools/dataset_converters/split_khanhha.py, or set ann_file to another'
            )
        listed = [line.strip() for line in listing.read_text(encoding='utf-8').splitlines() if line.strip()]
        self._refuse(sorted(set(listed) - set(names)), f'of {listing} not found in', 'img_path')
        if not listed:
            raise FileNotFoundError(f'{listing} names no image')
        return listed

    def _masks_of(self, names: list[str]) -> list[str | None]:
        """Mask of each image: the file of the same name, or of the same name but for the suffix."""
        if self.data_prefix.get('seg_map_path') is None:
            return [None] * len(names)
        folder = Path(self.data_prefix['seg_map_path'])
        found = list_images(folder)
        same_name, same_stem = set(found), {Path(name).stem: name for name in found}
        masks = {n: n if n in same_name else same_stem.get(Path(n).stem) for n in names}
        missing = [name for name, mask in masks.items() if mask is None]
        self._refuse(missing, 'without a mask in', 'seg_map_path')
        for mask, sharing in shared_masks(masks).items():
            raise ValueError(
                f'{" and ".join(sharing)} would share the mask {mask} in {folder}; give each photo a mask '
                f'of its own file name, or leave all but one out of the list'
            )
        return [str(folder / masks[name]) for name in names]

    def _refuse(self, names: list[str], what: str, prefix: str) -> None:
        if names:
            shown = ', '.join(names[:SHOWN]) + (', ...' if len(names) > SHOWN else '')
            raise FileNotFoundError(f'{len(names)} images {what} {self.data_prefix[prefix]}: {shown}')

    def _warn_of_doubtful_data(self, threshold: int) -> None:
        """Warn once, with numbers, of data that a training would accept but learn little from."""
        entries = [self.get_data_info(index) for index in range(len(self))] if self._fully_initialized else []
        paths = [info['img_path'] for info in entries]
        twice = len(paths) - len(set(paths))
        if twice and self.ann_file:
            print_log(
                f'{self.ann_file} names {twice} of {len(paths)} photos a second time: they count twice',
                logger='current',
                level=logging.WARNING,
            )
        masks = [info['seg_map_path'] for info in entries if 'seg_map_path' in info]
        looked_at = masks[:: max(1, len(masks) // LOOKED_AT)][:LOOKED_AT]
        shares = [crack_share(path, threshold) for path in looked_at]
        full = sum(share > MOSTLY_CRACK for share in shares)
        if full > len(shares) / 2:
            print_log(
                f'{full} of {len(shares)} masks in {self.data_prefix["seg_map_path"]} are mostly crack '
                f'({np.mean(shares):.0%} of their pixels): are they inverted? See `csbsr check-data`',
                logger='current',
                level=logging.WARNING,
            )

    def _require_binary_masks(self, threshold: int) -> None:
        steps = self.pipeline.transforms
        if any(isinstance(step, BinarizeMask) for step in steps):
            return
        for position, step in enumerate(steps):
            if isinstance(step, LoadAnnotations):
                steps.insert(position + 1, BinarizeMask(threshold))
                return
