"""Small stand-ins with the calls that the docs make of packages too large for the test environment."""

import importlib.util
import sys
import types

import torch
import torch.nn.functional as F


class Unet(torch.nn.Module):
    """As ``segmentation_models_pytorch.Unet``: images to logits of their size."""

    def __init__(self, encoder_name, encoder_weights='imagenet', in_channels=3, classes=1, activation=None):
        super().__init__()
        assert (encoder_weights, activation) == (None, None)
        self.layer = torch.nn.Conv2d(in_channels, classes, 3, padding=1)

    def forward(self, image):
        return self.layer(image)


class FocalLoss(torch.nn.Module):
    """As ``segmentation_models_pytorch.losses.FocalLoss`` in its mode ``'binary'``."""

    def __init__(self, mode, ignore_index=None, gamma=2.0):
        super().__init__()
        assert mode == 'binary'
        self.ignore_index, self.gamma = ignore_index, gamma

    def forward(self, y_pred, y_true):
        assert y_pred.shape == y_true.shape
        known = y_true != self.ignore_index
        score, truth = y_pred[known], y_true[known].float()
        nll = F.binary_cross_entropy_with_logits(score, truth, reduction='none')
        return ((1 - (-nll).exp()) ** self.gamma * nll).mean()


class DeepSupervisionWrapper(torch.nn.Module):
    """As nnU-Net's: one loss of every resolution, weighted."""

    def __init__(self, loss, weight_factors):
        super().__init__()
        self.loss, self.weight_factors = loss, weight_factors

    def forward(self, outputs, targets):
        pairs = zip(self.weight_factors, outputs, targets, strict=True)
        return sum(weight * self.loss(output, target) for weight, output, target in pairs if weight)


class NNUNetTrainer:
    """As nnU-Net's trainer, as far as its loss and the beginning of an epoch go."""

    def __init__(self, enable_deep_supervision=True, ignore_label=None, num_epochs=1000):
        self.enable_deep_supervision, self.num_epochs = enable_deep_supervision, num_epochs
        self.label_manager = types.SimpleNamespace(ignore_label=ignore_label)
        self.device, self.current_epoch = torch.device('cpu'), 0
        self.network = torch.nn.Conv2d(3, 2, 3, padding=1)

    def _build_loss(self):
        own = torch.nn.CrossEntropyLoss()
        return DeepSupervisionWrapper(own, (2 / 3, 1 / 3, 0)) if self.enable_deep_supervision else own

    def on_train_epoch_start(self):
        self.network.train()


class TrainingArguments:
    """As transformers' arguments, of which the stand-in uses two."""

    def __init__(self, output_dir, max_steps, batch_eval_metrics, report_to, use_cpu):
        assert batch_eval_metrics
        self.max_steps = max_steps


class Trainer:
    """As transformers' trainer: loss and metrics from functions, callbacks before every step."""

    def __init__(
        self,
        model,
        args,
        train_dataset,
        eval_dataset,
        compute_loss_func,
        compute_metrics,
        callbacks,
    ):
        self.model, self.args, self.callbacks = model, args, callbacks
        self.train_dataset, self.eval_dataset = train_dataset, eval_dataset
        self.compute_loss_func, self.compute_metrics = compute_loss_func, compute_metrics
        self.state = types.SimpleNamespace(global_step=0)

    def train(self):
        optimizer = torch.optim.AdamW(self.model.parameters())
        for step in range(self.args.max_steps):
            self.state.global_step = step
            for callback in self.callbacks:
                callback.on_step_begin(self.args, self.state, None, model=self.model)
            inputs, labels = self._batch(self.train_dataset, step)
            loss = self.compute_loss_func(self.model(**inputs), labels, num_items_in_batch=None)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    @torch.no_grad()
    def evaluate(self):
        for number in range(len(self.eval_dataset)):
            inputs, labels = self._batch(self.eval_dataset, number)
            prediction = types.SimpleNamespace(predictions=self.model(**inputs)['logits'], label_ids=labels)
            last = number + 1 == len(self.eval_dataset)
            figures = self.compute_metrics(prediction, compute_result=last)
        return {f'eval_{name}': value for name, value in figures.items()}

    def _batch(self, dataset, number):
        sample = {key: value[None] for key, value in dataset[number % len(dataset)].items()}
        return sample, sample.pop('labels')


CONTENT = {
    'segmentation_models_pytorch': dict(Unet=Unet, losses=types.SimpleNamespace(FocalLoss=FocalLoss)),
    'nnunetv2.training.nnUNetTrainer.nnUNetTrainer': dict(nnUNetTrainer=NNUNetTrainer),
    'transformers': dict(
        Trainer=Trainer, TrainingArguments=TrainingArguments, TrainerCallback=type('TrainerCallback', (), {})
    ),
}


def take_the_place_of_what_is_missing(monkeypatch, always=False):
    """Put stand-ins where a package is not installed, or everywhere."""
    for name, content in CONTENT.items():
        parts = name.split('.')
        if not always and importlib.util.find_spec(parts[0]):
            continue
        for depth in range(1, len(parts) + 1):
            module = types.ModuleType('.'.join(parts[:depth]))
            module.__path__ = []
            monkeypatch.setitem(sys.modules, module.__name__, module)
        vars(module).update(content)
