"""Data samples with the published probability maps, in the forms MMSegmentation's models give them."""

import csv
from pathlib import Path

import numpy as np
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

GOLDEN = np.load(Path(__file__).parents[1] / 'data' / 'metrics.npz')


def sample(image, label, **fields):
    """One data sample; ``fields`` are (C, H, W) predictions."""
    data_sample = SegDataSample(metainfo=dict(img_path=f'{image}.png'))
    data_sample.gt_sem_seg = PixelData(data=torch.as_tensor(label)[None].long())
    for name, values in fields.items():
        data_sample.set_data({name: PixelData(data=torch.as_tensor(values))})
    return data_sample


def golden_samples(form='seg_prob'):
    """The eight images as probabilities, one MMSegmentation channel, two logits or two probabilities."""
    samples = []
    for i, (gt, prob) in enumerate(zip(GOLDEN['gt'], GOLDEN['prob'], strict=True)):
        p = torch.from_numpy(prob)[None]
        logits = torch.cat([torch.log1p(-p.double()), p.double().log()])
        fields = {
            'seg_prob': dict(seg_prob=p, seg_logits=torch.full_like(p, 9.0)),
            'one channel': dict(seg_logits=p),
            'two logits': dict(seg_logits=logits),
            'two probabilities': dict(seg_prob=torch.cat([1 - p, p])),
        }[form]
        samples.append(sample(i, gt, **fields))
    return samples


def evaluate(metric, samples, batch=3):
    """What MMEngine's evaluator makes of the samples."""
    evaluator = Evaluator(metric)
    for start in range(0, len(samples), batch):
        evaluator.process(samples[start : start + batch])
    return evaluator.evaluate(len(samples))


def rows(path):
    """Rows of a CSV file as dicts."""
    with Path(path).open() as file:
        return list(csv.DictReader(file))
