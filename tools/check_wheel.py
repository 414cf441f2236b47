"""Build the distribution and try it as a new user would: fresh environments, an empty folder.

python tools/check_wheel.py [--folder DIR] [--parts build base existing full]

build: sdist, wheel from the sdist, twine. base: what `pip install csbsr_mm` brings, and that losses and
metrics work with it. existing: that torch, NumPy and OpenCV of an environment stay as they are. full: every
step from `csbsr info` to a report with `csbsr_mm[all]`. Takes minutes and downloads what pip has not cached.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ('build', 'base', 'existing', 'full')
UNWANTED = re.compile(r'(onedl-)?mm|opencv|matplotlib|tensorboard|rich|scikit-image|onnx')
OLD_ENVIRONMENT = ('numpy==1.26.4', 'opencv-python-headless==4.10.0.84')

LOSSES = """
import numpy as np, torch
from csbsr_mm.functional import boundary_loss, boundary_map, dice_loss, hausdorff_sweep, iou_sweep
from csbsr_mm.metrics import CrackMetrics
import csbsr_mm

assert not csbsr_mm.has_mmseg
mask = torch.zeros(1, 16, 16, dtype=torch.long)
mask[:, 7:9] = 1
logits = torch.randn(1, 1, 16, 16, requires_grad=True)
(dice_loss(logits, mask).mean() + boundary_loss(logits, mask).mean()).backward()
assert logits.grad.abs().sum() > 0
metrics = CrackMetrics()
metrics.update(mask[0].float(), mask[0])
assert metrics.compute()['IoU_max'] == 1 and metrics.compute()['HD95_min'] == 0
try:
    import csbsr_mm.models
except ImportError as error:
    assert "pip install 'csbsr_mm[mm]'" in str(error), error
else:
    raise AssertionError('csbsr_mm.models came without MMSegmentation')
"""
OWN_CONFIG = """
import csbsr_mm
from mmengine.config import Config
from mmengine.hub import get_config
from mmseg.apis import MMSegInferencer

config = Config.fromfile('mine.py')
assert config.train_cfg.max_iters == 3 and config.model.type == 'BlindSRSegmentor'
assert get_config('csbsr_mm::csbsr/quickstart.py').model.type == 'BlindSRSegmentor'
assert type(MMSegInferencer('quickstart', device='cpu').model).__name__ == 'BlindSRSegmentor'
"""


class Environment:
    """A fresh virtual environment, and a folder from which its programs run.

    Args:
        folder: Where to make both.
        constraint: File of versions that pip keeps to.
    """

    def __init__(self, folder: Path, constraint: Path | None) -> None:
        self.home, self.desk = folder / 'venv', folder / 'empty'
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(self.home, with_pip=True)
        self.desk.mkdir()
        self.bin = self.home / ('Scripts' if os.name == 'nt' else 'bin')
        self.constraint = ['-c', str(constraint)] if constraint else []

    def run(self, *words: str, check: bool = True) -> str:
        """Run a program of the environment in the empty folder; returns what it printed."""
        hidden = ('PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV')
        environment = {key: value for key, value in os.environ.items() if key not in hidden}
        program = shutil.which(words[0], path=str(self.bin)) or words[0]
        done = subprocess.run(
            [program, *words[1:]],
            cwd=self.desk,
            env=environment | {'PYTHONWARNINGS': 'ignore'},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding='utf-8',
            errors='replace',
            check=False,
        )
        say(f'  {" ".join(words).strip().splitlines()[0][:150]}')
        if check and done.returncode:
            raise SystemExit(
                f'error: {" ".join(words)[:200]} ended with {done.returncode}:\n{done.stdout[-3000:]}'
            )
        return done.stdout

    def install(self, *requirements: str) -> None:
        """Install with pip."""
        self.run('python', '-m', 'pip', 'install', '-q', *self.constraint, *requirements)

    def distributions(self) -> dict[str, str]:
        """Installed distributions and their versions."""
        listed = json.loads(self.run('python', '-m', 'pip', 'list', '--format', 'json'))
        return {entry['name'].lower(): entry['version'] for entry in listed}


def say(text: str) -> None:
    """Tell what is being done."""
    sys.stdout.write(f'{text}\n')
    sys.stdout.flush()


def build(folder: Path) -> Path:
    """Build sdist and wheel, check both; returns the wheel."""
    environment = Environment(folder, None)
    environment.install('build', 'twine')
    out = folder / 'dist'
    # Builds the wheel from the sdist: what the sdist lacks, the wheel lacks.
    environment.run('python', '-m', 'build', '--outdir', str(out), str(ROOT))
    environment.run('twine', 'check', '--strict', *map(str, out.iterdir()))
    (wheel,) = out.glob('*.whl')
    say(f'  {wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB')
    return wheel


def check_base(folder: Path, wheel: Path, constraint: Path | None) -> None:
    """Losses and metrics with nothing but torch and the numeric libraries."""
    environment = Environment(folder, constraint)
    environment.install(str(wheel))
    unwanted = [name for name in environment.distributions() if UNWANTED.match(name) and name != 'csbsr-mm']
    if unwanted:
        raise SystemExit(f'error: the base installation brings {", ".join(unwanted)}')
    environment.run('python', '-c', LOSSES)
    for words in (('info',), ('configs', 'list'), ('--help',), ('train', '--help')):
        environment.run('csbsr', *words)
    refused = environment.run('csbsr', 'train', 'quickstart', check=False)
    if "pip install 'csbsr_mm[mm]'" not in refused or refused.count('\n') != 1:
        raise SystemExit(f'error: without MMSegmentation `csbsr train` says {refused!r}')


def check_existing(folder: Path, wheel: Path, constraint: Path | None) -> None:
    """What pip would change in an environment that has older libraries."""
    environment = Environment(folder, None)
    torch = (
        [line for line in constraint.read_text(encoding='utf-8').splitlines() if line.startswith('torch==')]
        if constraint
        else []
    )
    environment.install(*OLD_ENVIRONMENT, *(torch or ['torch']))
    for extra in ('', '[inspection]', '[train]'):
        report = folder / 'report.json'
        dry = ('python', '-m', 'pip', 'install', '-q', '--dry-run', '--report', str(report))
        environment.run(*dry, f'{wheel}{extra}')
        touched = {
            entry['metadata']['name'].lower()
            for entry in json.loads(report.read_text(encoding='utf-8'))['install']
        }
        kept = {'torch', 'numpy', *(name for name in touched if name.startswith('opencv'))}
        if kept & touched:
            raise SystemExit(
                f'error: csbsr_mm{extra} would install {", ".join(kept & touched)} over what is there'
            )
        say(f'  csbsr_mm{extra} adds {", ".join(sorted(touched))}')


def check_full(folder: Path, wheel: Path, constraint: Path | None) -> None:
    """From nothing to a report with the installed command."""
    environment = Environment(folder, constraint)
    environment.install(f'{wheel}[all]')
    if 'libGL' in environment.run('python', '-c', 'import cv2', check=False):
        # As docs/installation.md says for servers.
        environment.run('python', '-m', 'pip', 'uninstall', '-q', '-y', 'opencv-python')
        environment.install('--no-deps', 'opencv-python-headless')
    run = environment.run
    for words in (
        'info',
        'configs',
        'render-demo --train 8 --test 2 --size 256',
        'check-data data/crack_demo',
        'train quickstart --cfg-options train_cfg.max_iters=5 train_dataloader.num_workers=1',
        # With the border, so that the masks have the size of those of the data set.
        'test quickstart work_dirs/quickstart/iter_5.pth --out masks --json metrics.json '
        '--cfg-options test_dataloader.dataset.pipeline.3.cut_border=False',
        'evaluate masks data/crack_demo/test/masks --json evaluated.json',
        'predict quickstart work_dirs/quickstart/iter_5.pth data/crack_demo/test/images --out-dir report',
        'measure data/crack_demo/test/masks --csv cracks.csv',
        'export quickstart work_dirs/quickstart/iter_5.pth model.onnx --size 64 64 --check',
        'configs copy quickstart mine.py',
        'table table4 --scale mini --list',
    ):
        run('csbsr', *words.split())
    mine = environment.desk / 'mine.py'
    mine.write_text(mine.read_text(encoding='utf-8') + 'train_cfg = dict(max_iters=3)\n', encoding='utf-8')
    run('python', '-c', OWN_CONFIG)
    run('csbsr', 'train', 'mine.py', '--work-dir', 'own')
    for name in ('work_dirs/quickstart/iter_5.pth', 'metrics.json', 'evaluated.json', 'report/index.html',
                 'cracks.csv', 'model.onnx', 'own/iter_3.pth'):  # fmt: skip
        if not (environment.desk / name).is_file():
            raise SystemExit(f'error: {name} was not written')


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--folder', type=Path, help='where to work, kept afterwards (a temporary folder)')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=PARTS)
    parser.add_argument('--wheel', type=Path, help='take this wheel; build nothing')
    parser.add_argument(
        '--constraint',
        type=Path,
        default=ROOT / 'requirements' / 'lock.txt',
        help="versions that pip keeps to ('' for the newest)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the parts."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    constraint = args.constraint.resolve() if args.constraint.name else None
    with tempfile.TemporaryDirectory() as temporary:
        folder = (args.folder or Path(temporary)).resolve()
        wheel = args.wheel.resolve() if args.wheel else None
        if wheel is None:
            say('build')
            wheel = build(folder / 'build')
        checks = {'base': check_base, 'existing': check_existing, 'full': check_full}
        for part in args.parts:
            if part in checks:
                say(part)
                checks[part](folder / part, wheel, constraint)
    say('The distribution works.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
