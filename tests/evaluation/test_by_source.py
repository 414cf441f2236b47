"""Means by constituent from the values of each image."""

import math
from pathlib import Path

import pytest

from csbsr_mm.datasets.image_files import source_of
from csbsr_mm.evaluation.by_source import metrics_by_source, per_image_options, print_by_source


def test_means_over_the_images_of_a_source(tmp_path, capsys):
    iou, quality = tmp_path / 'iou.csv', tmp_path / 'sr.csv'
    iou.write_text(
        'image,IoU_max\n/a/CFD_1.jpg,0.5\n/a/CFD_2.jpg,0.7\n/a/Volker_x.jpg,0.2\n/a/CFD_3.jpg,nan\n'
    )
    quality.write_text('image,PSNR\n/a/CFD_1.jpg,30\n/a/Volker_x.jpg,20\n/a/CFD_2.jpg,\n')
    found = metrics_by_source([iou, quality], source_of)
    assert list(found) == ['CFD', 'Volker']
    assert found['CFD'] == {'images': 3, 'IoU_max': pytest.approx(0.6), 'PSNR': 30.0}
    assert found['Volker'] == {'images': 1, 'IoU_max': 0.2, 'PSNR': 20.0}
    assert not any(math.isnan(value) for metrics in found.values() for value in metrics.values())
    print_by_source(found, 'by source')
    assert '0.6000' in capsys.readouterr().out


def test_files_of_the_metrics():
    evaluators = [
        dict(type='AIUMetric'),
        dict(type='Other'),
        dict(type='SRQualityMetric', per_image_csv='mine.csv'),
    ]
    folder = Path('work')
    assert per_image_options(evaluators, folder) == {
        'test_evaluator.0.per_image_csv': str(folder / 'AIUMetric.csv'),
        'test_evaluator.2.per_image_csv': 'mine.csv',
    }
    with pytest.raises(ValueError, match='need one of AIUMetric'):
        per_image_options([dict(type='Other')], folder)
