"""α in real trainings of Lightning, beside MMEngine's hook."""

import sys
import types

import pytest
import torch

from csbsr_mm import losses
from csbsr_mm.engine.hooks import BoundaryRebalanceHook
from csbsr_mm.losses import BoundaryComboLoss

lightning = pytest.importorskip('lightning.pytorch')
QUIET = dict(
    accelerator='cpu',
    devices=1,
    logger=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)


class Module(lightning.LightningModule):
    """One layer; collects the α of every batch."""

    def __init__(self, **loss):
        super().__init__()
        self.layer, self.loss = torch.nn.Conv2d(3, 1, 3, padding=1), BoundaryComboLoss(**loss)
        self.alphas, self.logged = [], []

    def training_step(self, batch, index):
        self.alphas.append(round(self.loss.alpha.item(), 6))
        self.logged.append(round(float(self.trainer.callback_metrics['alpha']), 6))
        return self.loss(self.layer(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


def loader(batches=4):
    label = torch.zeros(batches, 8, 8, dtype=torch.long)
    label[:, 3:5] = 1
    data = torch.utils.data.TensorDataset(torch.rand(batches, 3, 8, 8), label)
    return torch.utils.data.DataLoader(data)


def fitted(callback, module=None, batches=4, ckpt_path=None, **trainer):
    module = module or Module()
    options = QUIET | dict(max_epochs=3, enable_checkpointing=False) | trainer
    lightning.Trainer(**options, callbacks=[callback]).fit(module, loader(batches), ckpt_path=ckpt_path)
    return module


@pytest.mark.parametrize(
    'pace', [dict(epoch_iters=2), dict(fraction=0.5), dict(fraction=1.0, begin=4), dict()]
)
def test_alpha_is_the_hooks(pace):
    module = fitted(losses.AlphaCallback(**pace, end=0.8, increment=0.07))
    hook = BoundaryRebalanceHook(**(pace or {'epoch_iters': 4}), end=0.8, step=0.07)
    assert module.alphas == [round(hook.alpha_at(i, 12), 6) for i in range(12)]
    assert module.logged == module.alphas
    assert module.alphas[-1] > module.alphas[0] == 0


def test_accumulated_batches_are_one_iteration():
    module = fitted(losses.AlphaCallback(increment=0.1), accumulate_grad_batches=3, batches=5, max_epochs=3)
    assert module.alphas == [0.0] * 5 + [0.1] * 5 + [0.2] * 5
    module = fitted(
        losses.AlphaCallback(epoch_iters=1, increment=0.1), accumulate_grad_batches=2, max_epochs=2
    )
    assert module.alphas == [0.0, 0.0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3]


def test_a_resumed_training_goes_on(tmp_path):
    whole = fitted(losses.AlphaCallback(epoch_iters=1), max_epochs=2).alphas
    first = Module()
    trainer = lightning.Trainer(
        **QUIET, enable_checkpointing=False, max_epochs=1, callbacks=[losses.AlphaCallback(epoch_iters=1)]
    )
    trainer.fit(first, loader())
    trainer.save_checkpoint(tmp_path / 'a.ckpt')
    second = fitted(losses.AlphaCallback(epoch_iters=1), max_epochs=2, ckpt_path=tmp_path / 'a.ckpt')
    assert first.alphas + second.alphas == whole


def test_fixed_losses_stay():
    module = Module()
    module.auxiliary = BoundaryComboLoss(alpha=0.25)
    fitted(losses.AlphaCallback(epoch_iters=1), module)
    assert module.loss.alpha.item() == pytest.approx(0.11)
    assert module.auxiliary.alpha.item() == 0.25


def test_what_cannot_be_scheduled():
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(loader().dataset)

    trainer = lightning.Trainer(
        **QUIET, enable_checkpointing=False, max_epochs=1, callbacks=[losses.AlphaCallback()]
    )
    with pytest.raises(ValueError, match='does not say how long an epoch is; give AlphaCallback epoch_iters'):
        trainer.fit(Module(), torch.utils.data.DataLoader(Stream()))
    with pytest.raises(
        ValueError, match='how long the training lasts is not known; give the Trainer max_steps'
    ):
        fitted(losses.AlphaCallback(fraction=0.5), max_epochs=-1)
    plain = Module()
    plain.loss = torch.nn.BCEWithLogitsLoss()
    with pytest.raises(TypeError, match='Module has no boundary loss; make it a module of it'):
        fitted(losses.AlphaCallback(), plain)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(fraction=0), r'fraction must be in \(0, 1\], got 0'),
        (dict(epoch_iters=0), 'epoch_iters must be >= 1, got 0'),
        (dict(epoch_iters=3, fraction=0.5), 'give epoch_iters or fraction, not both'),
        (dict(start=0.5, end=0.4), 'start=0.5, end=0.4'),
    ],
)
def test_bad_values_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        losses.AlphaCallback(**arguments)


def test_either_name_of_lightning_is_taken_and_none_is_named(monkeypatch):
    callback_class = sys.modules['csbsr_mm.losses.alpha_callback'].callback_class
    assert callback_class() is lightning.Callback
    older = types.ModuleType('pytorch_lightning')
    older.Callback = type('Callback', (), {})
    monkeypatch.delitem(sys.modules, 'lightning.pytorch')
    monkeypatch.setitem(sys.modules, 'pytorch_lightning', older)
    assert callback_class() is older.Callback
    monkeypatch.delitem(sys.modules, 'pytorch_lightning')
    monkeypatch.setattr('csbsr_mm.losses.alpha_callback.importlib.util.find_spec', lambda name: None)
    with pytest.raises(ImportError, match=r"needs lightning, .*: pip install 'csbsr_mm\[lightning\]'"):
        callback_class()
    with pytest.raises(AttributeError, match='no attribute'):
        _ = losses.AlphaHook
