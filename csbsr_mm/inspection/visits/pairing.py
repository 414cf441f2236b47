"""Which photos of two visits show the same place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from .registration import Features, Registration, describe, register
from .visit import Visit

PICTURE_SIDE = 1600
VOTERS, CANDIDATES = 300, 5
"""Points of a photo that vote for photos of the other visit, and how many of those are then tried."""
BY_NAME, BY_PICTURE = 'name', 'picture'


@dataclass(frozen=True)
class PhotoPair:
    """Two photos of one place.

    Attributes:
        old: Name of the photo in the old report.
        new: Name of the photo in the new report.
        registration: Where the points of the old photo lie in the new one.
        matched_by: 'name' or 'picture'.
    """

    old: str
    new: str
    registration: Registration
    matched_by: str


@dataclass
class Pairing:
    """All photos of two visits.

    Attributes:
        pairs: Photos of one place, in the order of the new report.
        only_old: Photos of the old report without a counterpart.
        only_new: Photos of the new report without one.
        same_name: Names that both reports have for photos that do not show the same place, as when a camera
            counts from 1 again.
    """

    pairs: list[PhotoPair] = field(default_factory=list)
    only_old: list[str] = field(default_factory=list)
    only_new: list[str] = field(default_factory=list)
    same_name: list[str] = field(default_factory=list)


def pair_photos(old: Visit, new: Visit, progress: Callable[[str], None] | None = None) -> Pairing:
    """Find the counterpart of each photo.

    Photos of one name are compared first. Every pair is confirmed by a homography between the two pictures;
    one of the same name that is not confirmed goes back to the others, and those are matched by what they
    show. Each photo is in at most one pair, that with the most agreeing points.

    Args:
        old: The old report.
        new: The new one.
        progress: Called with what is done next.

    Returns:
        The pairs, and what has no counterpart.
    """
    pairing = Pairing()
    for name in new.records:
        if name in old.records:
            found = register(_features(old, name, progress), _features(new, name))
            if found is None:
                pairing.same_name.append(name)
            else:
                pairing.pairs.append(PhotoPair(name, name, found, BY_NAME))
    paired = {pair.new for pair in pairing.pairs}
    free_old = {name: _features(old, name, progress) for name in old.records if name not in paired}
    free_new = {name: _features(new, name, progress) for name in new.records if name not in paired}
    pairing.pairs += _by_picture(free_old, free_new)
    order = {name: place for place, name in enumerate(new.records)}
    pairing.pairs.sort(key=lambda pair: order[pair.new])
    pairing.only_old = _rest(old.records, {pair.old for pair in pairing.pairs})
    pairing.only_new = _rest(new.records, {pair.new for pair in pairing.pairs})
    return pairing


def _features(visit: Visit, name: str, say: Callable[[str], None] | None = None) -> Features:
    if say is not None:
        say(f'looking at {name}')
    record = visit.records[name]
    return describe(visit.picture(name, PICTURE_SIDE), (record['height'], record['width']))


def _by_picture(old: dict[str, Features], new: dict[str, Features]) -> list[PhotoPair]:
    """Pairs among photos that are known by what they show, the surest first."""
    old = {name: features for name, features in old.items() if len(features.descriptors)}
    if not old:
        return []
    index = cv2.FlannBasedMatcher()
    names = list(old)
    index.add([old[name].descriptors[:VOTERS] for name in names])
    index.train()
    found = []
    for name, features in new.items():
        for candidate in _candidates(index, features, len(names)):
            registration = register(old[names[candidate]], features)
            if registration is not None:
                found.append(PhotoPair(names[candidate], name, registration, BY_PICTURE))
    found.sort(key=lambda pair: -pair.registration.inliers)
    pairs: list[PhotoPair] = []
    for pair in found:
        if all(pair.old != other.old and pair.new != other.new for other in pairs):
            pairs.append(pair)
    return pairs


def _candidates(index: cv2.FlannBasedMatcher, features: Features, count: int) -> list[int]:
    """Numbers of the old photos that most points of a photo resemble, the best first."""
    if not len(features.descriptors):
        return []
    nearest = index.knnMatch(features.descriptors[:VOTERS], k=1)
    voted = np.bincount([match[0].imgIdx for match in nearest if match], minlength=count)
    return [int(number) for number in np.argsort(-voted, kind='stable')[:CANDIDATES] if voted[number]]


def _rest(names: Iterable[str], paired: set[str]) -> list[str]:
    return [name for name in names if name not in paired]
