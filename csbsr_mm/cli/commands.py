"""The sub-commands of ``csbsr``: one line for each."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType


@dataclass(frozen=True)
class Command:
    """A sub-command, imported only when it is asked for.

    Its module has a docstring (the description), ``add_arguments(parser)`` and ``run(args)``, which returns
    the exit status, or None for 0. The module itself imports the standard library alone; ``run`` imports
    the rest. A function ``complete(words)``, if there is one, sees the command line before argparse.

    Attributes:
        help: One line for ``csbsr --help``.
        module: Its module in this package; by default the command's name with underscores.
        registers: Whether it needs MMSegmentation and csbsr_mm's components in its registries.
    """

    help: str
    module: str = ''
    registers: bool = True

    def load(self, name: str) -> ModuleType:
        """Import the module of this command, whose name is ``name``."""
        return import_module(f'csbsr_mm.cli.{self.module or name.replace("-", "_")}')


COMMANDS = {
    'predict': Command('find cracks in photos: masks, measurements and a report'),
    'serve': Command('open a local page to try the model on photos that you drop there'),
    'report': Command('measure again from stored probabilities and rewrite a report', registers=False),
    'compare': Command('compare the reports of two visits: cracks new, gone, longer, wider', registers=False),
    'annotations': Command(
        'write the cracks of a report for GIS, CAD, spreadsheets and annotation tools', registers=False
    ),
    'measure': Command('measure cracks in masks that are there already', registers=False),
    'evaluate': Command('compare masks or probability maps with the truth', registers=False),
    'masks-from': Command('make training masks of annotations: COCO, Label Studio, CVAT', registers=False),
    'finetune': Command('fit the weights on board to a few labelled photos of your own'),
    'train': Command('train a model from a config'),
    'test': Command('test a checkpoint on the data of its config'),
    'mmseg': Command("run MMSegmentation's own train.py or test.py with csbsr_mm"),
    'table': Command("run a table of the paper and print it beside the paper's"),
    'render-demo': Command('render crack photos with exact masks to try things on'),
    'check-data': Command('health report of a crack data set'),
    'convert-data': Command('bring a data set into the layout of the configs'),
    'convert-checkpoint': Command("convert a checkpoint that the paper's authors publish"),
    'export': Command('export a model to ONNX'),
    'weights': Command('list, show and export weights that work without a config', registers=False),
    'configs': Command('list, show and copy the configs that come with csbsr_mm', registers=False),
    'info': Command('versions, devices, what is installed and what is missing', registers=False),
    'completion': Command('print a script that completes csbsr in your shell', registers=False),
}
