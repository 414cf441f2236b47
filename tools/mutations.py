"""Mutations of important lines, for ``tools/mutation_check.py``.

Each stands for a mistake that would change results in silence, and names the tests that must notice it.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """A line to change.

    Attributes:
        old: Source text, unique in the package.
        new: What takes its place.
        tests: File names of the tests that must fail; words after ``-k`` choose among theirs.
    """

    old: str
    new: str
    tests: str


MUTATIONS = [
    # Resuming and validating.
    Mutation('set_random_state(states[get_rank()])', 'pass', 'test_exact_resume.py -k Dropout'),
    Mutation('set_random_state(self._state_before_validation)', 'pass', 'test_exact_resume.py -k Dropout'),
    Mutation(
        'sampler.set_position(self.position)', 'sampler.set_position(0)', 'test_exact_resume.py -k late'
    ),
    Mutation(
        'self.position += self.global_batch_size',
        'self.position += 1',
        'test_safe_checkpoint_hook.py -k batch_size',
    ),
    Mutation(
        'get_info(VALIDATED, 0) < self._iter',
        'get_info(VALIDATED, 0) < 0',
        'test_stop_signals.py -k validation',
    ),
    Mutation('if self.saved_step != step:', 'if False:', 'test_stop_signals.py -k SIGUSR1'),
    Mutation('os.replace(partial, path)', 'pass', 'test_safe_checkpoint_hook.py -k atomic'),
    Mutation(
        'return known[: -self.max_keep_ckpts]', 'return known', 'test_safe_checkpoint_hook.py -k last_two'
    ),
    Mutation('if free < needed:', 'if False:', 'test_safe_checkpoint_hook.py -k room'),
    Mutation(
        '_drop_schedule_state(unwrap(runner.model), checkpoint',
        '(lambda *_: 0)(runner, checkpoint',
        'test_safe_checkpoint_hook.py -k load_from',
    ),
    Mutation('if before.get(key) != now.get(key)]', 'if False]', 'test_settings.py -k listed'),
    # Reading checkpoints.
    Mutation(
        'with _only_stand_ins():', 'with contextlib.nullcontext():', 'test_untrusted_files.py -k allows'
    ),
    Mutation('if names:\n        more', 'if False:\n        more', 'test_untrusted_files.py -k by_name'),
    Mutation("meta.pop('config', None)", 'pass', 'test_untrusted_files.py -k meta'),
    Mutation('while part.read(CHUNK):', 'while False:', 'checkpoint/test_reader.py -k flipped'),
    Mutation('and crc32(weights[name]) != value', 'and False', 'checkpoint/test_reader.py -k changed'),
    Mutation('all(type(step) is int for step in kept)', 'True', 'test_untrusted_files.py -k elsewhere'),
    # Data.
    Mutation('name = crc32(type(self).__name__.encode())', 'name = 0', 'test_transforms.py -k stream'),
    Mutation("[seed, results['draw'], name]", '[seed, name]', 'test_transforms.py'),
    Mutation('[self.seed, epoch]).permutation', '[self.seed]).permutation', 'test_samplers.py'),
    Mutation('draw += self.world_size', 'draw += 1', 'test_samplers.py'),
    Mutation(
        'return (mask > self.threshold).astype', 'return (mask < self.threshold).astype', 'test_transforms.py'
    ),
    Mutation('weight = b.flip(-1, -2).reshape', 'weight = b.reshape', 'test_degradation.py -k composition'),
    Mutation('both / both.sum((-2, -1), keepdim=True)', 'both', 'test_degradation.py -k composition'),
    Mutation(
        'for mask, sharing in shared_masks(masks).items():',
        'for mask, sharing in ():',
        'test_crack_dataset.py -k share',
    ),
    # Losses.
    Mutation('prob = prob[:, list(self.classes)]', 'pass', 'test_region.py -k order'),
    Mutation(
        'if self.classes != tuple(range(self.num_classes)):',
        'if len(self.classes) < self.num_classes:',
        'test_region.py -k order',
    ),
    Mutation(
        'return 1 - (2 * overlap + smooth) / (size + smooth)',
        'return 1 - (overlap + smooth) / (size + smooth)',
        'test_region.py',
    ),
    Mutation('_class_sums(masks.prob.square(), weight)', '_class_sums(masks.prob, weight)', 'test_region.py'),
    Mutation(
        'class_weight = 1 / (size + smooth).square()', 'class_weight = 1 / (size + smooth)', 'test_region.py'
    ),
    Mutation('return masks.nll * _weighted(factor, weight)', 'return masks.nll', 'test_region.py'),
    Mutation('product = prob * distance_map', 'product = prob * distance_map.abs()', 'test_boundary.py'),
    Mutation(
        'torch.exp(-m * distance_to(target == 1))',
        'torch.exp(m * distance_to(target == 1))',
        'test_weights.py',
    ),
    Mutation(
        'torch.exp(m * (1 - torch.exp(-masks.nll.detach())))',
        'torch.exp(m * torch.exp(-masks.nll.detach()))',
        'test_weights.py test_sr_loss_weights.py',
    ),
    Mutation('all_reduce(pixels)', 'pass', 'test_boundary_combo_state.py -k counts'),
    Mutation(
        'if weight is None:\n        return error.mean()',
        'if weight is None:\n        return error.sum()',
        'test_blind_sr_loss.py',
    ),
    Mutation('return self.kernel_weight * squared.mean()', 'return squared.mean()', 'test_blind_sr_loss.py'),
    # Models and schedules.
    Mutation('return features + out', 'return out', 'test_blur_skip_neck.py'),
    Mutation(
        "if iteration <= stage['end']:",
        "if iteration < stage['end']:",
        'test_training_stage_hook.py test_schedules.py',
    ),
    Mutation(
        'steps = since_begin // self.epoch_iters', 'steps = since_begin', 'test_boundary_rebalance_hook.py'
    ),
    Mutation(
        'module.eval()\n        return self',
        'pass\n        return self',
        'test_training_stage_hook.py test_blind_sr_segmentor.py',
    ),
    # Metrics.
    Mutation(
        'prob = _mean([self._probability(sample) for sample in samples])',
        'prob = self._probability(samples[-1])',
        'test_foreign_scores.py -k merged',
    ),
    Mutation("if scores == 'auto' and", 'if False and', 'test_foreign_scores.py -k mask_scores'),
    Mutation('return self.one_empty == 0', 'return self.one_empty >= 0', 'test_foreign_scores.py -k finds'),
    Mutation(
        "is_foreign = bool(sample.get('flip', False))",
        'is_foreign = False',
        'test_foreign_scores.py -k flipped',
    ),
    Mutation(
        'label == self.foreground_class, ignore',
        'label >= self.foreground_class, ignore',
        'test_aiu_metric.py test_hd95_metric.py',
    ),
]
