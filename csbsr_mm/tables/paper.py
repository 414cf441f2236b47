"""The tables of the paper as rows of runs, at the paper's scale and at one that a CPU trains in minutes.

`run_table.py` carries them out. What the paper reports stands in `published/TABLE.csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

# Tables of ours that the paper does not print.
NOT_PRINTED = ('table5_sweep',)
# Variants that change the segmentation loss alone.
OF_SEGMENTATION = ('inverse_frequency',)
PUBLISHED = Path(__file__).parent / 'published'


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        config: Config file below `configs/csbsr`.
        start: Run whose last checkpoint this one starts from.
        options: What else is set, as after `--cfg-options`.
        variants: Names of :data:`~csbsr_mm.tables.variants.VARIANTS` that change the config.
    """

    config: str
    start: Run | None = None
    options: Mapping[str, float | str | None] = field(default_factory=dict)
    variants: tuple[str, ...] = ()

    def varied(self, variants: Sequence[str]) -> Run:
        """The same run, and what it starts from, with other variants.

        A run of the SR network alone takes no variant of the segmentation loss: rows go on sharing it.
        """
        start = None if self.start is None else self.start.varied(variants)
        alone = self.config.startswith('pretrain/') or self.config.endswith('step2.py')
        own = [name for name in variants if not (alone and name in OF_SEGMENTATION)]
        return replace(self, start=start, variants=tuple(own))

    @property
    def name(self) -> str:
        """Name of its folder: the config's, with the options that differ from it."""
        words = [self.config.removeprefix('mini/').removesuffix('.py').replace('/', '-')]
        words += [f'{key.rsplit(".", 1)[-1]}={value}' for key, value in self.options.items()]
        words += self.variants
        return '+'.join(words)


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        key: Its name on the command line and in `published/*.csv`.
        label: What a reader sees.
        full: The run at the paper's scale.
        mini: The run at the mini scale, where there is one.
    """

    key: str
    label: str
    full: Run | None
    mini: Run | None = None

    def run(self, scale: str) -> Run | None:
        """Its run at 'full' or 'mini' scale."""
        return self.full if scale == 'full' else self.mini

    def varied(self, variants: Sequence[str]) -> Row:
        """The same row with variants of its runs."""
        full, mini = (None if run is None else run.varied(variants) for run in (self.full, self.mini))
        return replace(self, full=full, mini=mini)


@dataclass(frozen=True)
class Table:
    """A table of the paper: a title and its rows."""

    title: str
    rows: tuple[Row, ...]


STEP1 = Run('pretrain/kbpn_div2k_flickr2k.py')
CSSR_STEP1 = Run('pretrain/dbpn_div2k_flickr2k.py')
MINI_STEP2 = Run('mini/kbpn_step2.py')
MINI_CSSR_STEP2 = Run('mini/dbpn_step2.py')

CSBSR = Run('kbpn_pspnet_khanhha.py', STEP1)
CSSR = Run('dbpn_pspnet_khanhha.py', CSSR_STEP1)
MINI_CSBSR = Run('mini/kbpn_unet.py', MINI_STEP2)
MINI_CSSR = Run('mini/dbpn_unet.py', MINI_CSSR_STEP2)

SEPARATE = Run('separate/kbpn_pspnet_khanhha.py', STEP1)
MINI_SEPARATE = Run('mini/kbpn_then_unet.py', MINI_STEP2)

SEGMENTORS = {'pspnet': 'PSPNet', 'ocr': 'HRNet + OCR', 'crackformer': 'CrackFormer', 'unet': 'U-Net'}
# Letters of Table II.
SEPARATE_LETTERS, CSBSR_LETTERS = 'dfhj', 'egik'
TASK_WEIGHTS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def _with(run: Run, **options: float | str | None) -> Run:
    return Run(run.config, run.start, {key.replace('__', '.'): value for key, value in options.items()})


def _step3(config: str, mini: bool = False) -> Run:
    """A run that starts where every CSBSR row of its scale does."""
    return Run(f'mini/{config}.py', MINI_STEP2) if mini else Run(f'{config}.py', STEP1)


def _segmentor_rows(prefix: str, label: str, letters: str, config: str, mini: Run) -> list[Row]:
    """A row for each segmentor of the paper; the mini scale has a U-Net alone."""
    return [
        Row(
            f'{prefix}_{key}',
            f'({letter}) {label} {name}',
            _step3(f'{config}_{key}_khanhha'),
            mini if key == 'unet' else None,
        )
        for letter, (key, name) in zip(letters, SEGMENTORS.items(), strict=True)
    ]


def _task_weight_rows(prefix: str, name: str, full: Run, mini: Run, own: float) -> list[Row]:
    rows = []
    for weight in TASK_WEIGHTS:
        option = {} if weight == own else {'model__task_weight': weight}
        rows.append(
            Row(f'{prefix}_{weight}', f'{name}, β = {weight}', _with(full, **option), _with(mini, **option))
        )
    return rows


# Of each weight of Table V: what its m is called at the paper's and at the mini scale, its symbol, its own m.
SWEPT = {
    'crack_oriented_on_sr_loss': (['sr_loss_weights.0.m'], ['sr_loss_weights.0.m'], 'w^C on L_S', 8.0),
    'fail_oriented_on_sr_loss': (['sr_loss_weights.0.m'], ['sr_loss_weights.0.m'], 'w^F on L_S', 1.0),
    'fail_oriented_on_seg_loss': (
        [f'segmentor.{head}.loss_decode.fail_weight_m' for head in ('decode_head', 'auxiliary_head')],
        ['segmentor.decode_head.loss_decode.fail_weight_m'],
        'w^F on L_C',
        0.5,
    ),
}


def _sweep_rows(key: str) -> list[Row]:
    """A weight of Table V with m = 2^-3 ... 2^3."""
    *names, label, own = SWEPT[key]
    rows = []
    for m in (2.0**power for power in range(-3, 4)):
        full, mini = (
            _with(
                _step3(f'sr_loss_weights/{key}', mini=is_mini),
                **({} if m == own else {f'model__{name.replace(".", "__")}': m for name in scale}),
            )
            for scale, is_mini in zip(names, (False, True), strict=True)
        )
        rows.append(Row(f'{key}_{m:g}', f'{label}, m = {m:g}', full, mini))
    return rows


TABLES = {
    'table2': Table(
        'Table II: segmentation of degraded images',
        (
            Row(
                'hr',
                '(a) HR images',
                Run('comparison/hr_pspnet_khanhha.py'),
                Run('mini/hr_unet.py'),
            ),
            Row(
                'bicubic',
                'bicubic (not in the paper)',
                Run('comparison/bicubic_pspnet_khanhha.py'),
                Run('mini/bicubic_unet.py'),
            ),
            Row('srcnet', '(b) SrcNet, SegNet', Run('comparison/srcnet_segnet_khanhha.py')),
            Row('dsrl', '(c) DSRL', Run('comparison/dsrl_khanhha.py')),
            Row('cssr', "CSSR: DBPN (not in the paper's table)", CSSR, MINI_CSSR),
            *_segmentor_rows('separate', 'KBPN, then', SEPARATE_LETTERS, 'separate/kbpn', MINI_SEPARATE),
            *_segmentor_rows('csbsr', 'CSBSR: KBPN,', CSBSR_LETTERS, 'kbpn', MINI_CSBSR),
        ),
    ),
    'table3': Table(
        'Table III: the task weight β',
        (
            Row('csbsr_separate', 'CSBSR, w/o joint', SEPARATE, MINI_SEPARATE),
            *_task_weight_rows('csbsr', 'CSBSR', CSBSR, MINI_CSBSR, own=0.3),
            Row(
                'csbsr_increasing',
                'CSBSR, β increasing',
                _step3('task_weight/kbpn_pspnet_increasing_khanhha'),
                _step3('kbpn_unet_increasing', mini=True),
            ),
            Row('cssr_separate', 'CSSR, w/o joint', Run('separate/dbpn_pspnet_khanhha.py', CSSR_STEP1)),
            *_task_weight_rows('cssr', 'CSSR', CSSR, MINI_CSSR, own=0.7),
            Row(
                'cssr_increasing',
                'CSSR, β increasing',
                Run('task_weight/dbpn_pspnet_increasing_khanhha.py', CSSR_STEP1),
            ),
        ),
    ),
    'table4': Table(
        'Table IV: segmentation losses',
        (
            *(
                Row(
                    key,
                    label,
                    _step3(f'segmentation_losses/{key}'),
                    _step3(f'segmentation_losses/{key}', mini=True),
                )
                for key, label in {
                    'wce': 'WCE',
                    'wce_eq8': "WCE with the class weights of Eq. 8 (not in the paper's table)",
                    'dice': 'Dice',
                    'combo': 'Combo',
                    'boundary_gdice': 'Boundary + GDice',
                    'gbc': 'GBC',
                }.items()
            ),
            Row('bc', 'BC', CSBSR, MINI_CSBSR),
        ),
    ),
    'table5': Table(
        'Table V: weights on the losses',
        (
            Row('none', 'no weight', CSBSR, MINI_CSBSR),
            *(
                Row(key, label, _step3(f'sr_loss_weights/{key}'), _step3(f'sr_loss_weights/{key}', mini=True))
                for key, label in {
                    'seg_loss_on_sr_loss': 'L_C on L_S',
                    'crack_oriented_on_sr_loss': 'w^C on L_S, m = 8',
                    'fail_oriented_on_sr_loss': 'w^F on L_S, m = 1',
                    'fail_oriented_on_seg_loss': 'w^F on L_C, m = 0.5',
                }.items()
            ),
        ),
    ),
    'table5_sweep': Table(
        'Table V: the sweep of m',
        tuple(row for key in SWEPT for row in _sweep_rows(key)),
    ),
    'table6': Table(
        'Table VI: the blur skip',
        (
            Row('none', 'CSBSR', CSBSR, MINI_CSBSR),
            Row(
                'blur_skip',
                'w/ blur skip',
                _step3('kbpn_pspnet_blurskip_khanhha'),
                _step3('kbpn_unet_blurskip', mini=True),
            ),
            Row(
                'blur_skip_fail_oriented',
                'w/ blur skip and w^F on L_S, m = 1',
                _step3('blur_skip/fail_oriented_khanhha'),
                _step3('kbpn_unet_blurskip_fail_oriented', mini=True),
            ),
            Row(
                'original_sft_fail_oriented',
                'the same with the original SFT (Sec. III-D)',
                _step3('blur_skip/original_sft_fail_oriented_khanhha'),
                _with(
                    _step3('kbpn_unet_blurskip_fail_oriented', mini=True), model__blur_skip__sft='original'
                ),
            ),
            Row(
                'blur_skip_frozen',
                'blur skip alone on a trained CSBSR (as released)',
                Run('blur_skip/frozen_khanhha.py', CSBSR),
                Run('mini/kbpn_unet_blurskip_frozen.py', MINI_CSBSR),
            ),
        ),
    ),
}


def published(table: str) -> dict[str, dict[str, float]]:
    """What the paper reports, as {row key: {metric: value}}; cells that are empty are left out.

    A table that the paper does not print has no figures.

    Args:
        table: Key of the table, such as 'table2'.

    Raises:
        ValueError: If a row of the file is none of the table's, or a cell is no number.
    """
    path = PUBLISHED / f'{table}.csv'
    if table in NOT_PRINTED:
        return {}
    known = {row.key for row in TABLES[table].rows}
    figures: dict[str, dict[str, float]] = {}
    with path.open(newline='', encoding='utf-8') as file:
        for line in csv.DictReader(file):
            key = line.pop('row')
            if key not in known:
                raise ValueError(f'{path} has the row {key!r}; {table} has {", ".join(sorted(known))}')
            try:
                found = {metric: float(cell) for metric, cell in line.items() if cell}
            except (TypeError, ValueError):
                raise ValueError(f'row {key!r} of {path} has cells that are no numbers: {line}') from None
            if found:
                figures[key] = found
    return figures
