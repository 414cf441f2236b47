"""Draw LR | SR | HR | blur kernel | probability | errors for some test images of a trained model.

python tools/analysis_tools/draw_predictions.py CONFIG CHECKPOINT report.png --count 4
"""

import argparse
import sys

import numpy as np
import torch
from mmengine.config import Config
from mmseg.registry import DATASETS
from torch import nn

import csbsr_mm  # noqa: F401
from csbsr_mm.apis import load_model
from csbsr_mm.engine.checkpoint import TRUST_HELP
from csbsr_mm.engine.config import load_config
from csbsr_mm.visualization.panels import save_panel


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('picture', help='PNG file to write')
    parser.add_argument('--count', type=int, default=4, help='number of images, spread over the test set')
    parser.add_argument('--indices', type=int, nargs='+', help='these images instead')
    parser.add_argument('--trust-checkpoint', action='store_true', help=TRUST_HELP)
    parser.add_argument('--device', default='cuda:0' if torch.cuda.is_available() else 'cpu')
    return parser.parse_args()


def spread(length: int, count: int) -> list[int]:
    """Indices of ``count`` images spread evenly over a data set."""
    return np.linspace(0, length - 1, min(count, length)).round().astype(int).tolist()


def predict(model: nn.Module, config: Config, indices: list[int] | None, count: int):
    """Predictions for some images of the test set, and their LR inputs in [0, 1]."""
    dataset = DATASETS.build(config.test_dataloader.dataset)
    chosen = indices or spread(len(dataset), count)
    outside = [index for index in chosen if not 0 <= index < len(dataset)]
    if outside:
        sys.exit(f'error: the test set has images 0 to {len(dataset) - 1}, not {outside}')
    samples, lr_images = [], []
    for index in chosen:
        item = dataset[index]
        data = model.data_preprocessor(dict(inputs=[item['inputs']], data_samples=[item['data_samples']]))
        with torch.no_grad():
            samples += model(**data, mode='predict')
        lr_images.append(data['inputs'][0].permute(1, 2, 0).cpu().numpy())
    return samples, lr_images


def main() -> None:
    """Predict and draw."""
    args = parse_args()
    try:
        config = load_config(args.config)
        model = load_model(config, args.checkpoint, args.device, args.trust_checkpoint)
        samples, lr_images = predict(model, config, args.indices, args.count)
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    save_panel(args.picture, samples, lr_images)


if __name__ == '__main__':
    main()
