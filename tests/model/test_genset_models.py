"""concentrator.model.genset_models: the list of the manual's Form 4."""

import re
from collections import Counter

import pytest

from concentrator.model.genset_models import AMF, KINDS, MODELS, SELF_STARTING, kind_of
from tests.support.smartgen_seeds import FOLDER


def test_all_51_models_of_the_manual_are_there_with_their_makers():
    assert Counter(maker for maker, _ in MODELS.values()) == {"SmartGen": 26, "DeepSea": 11, "Harsen": 10, "ComAp": 4}
    assert all(0 <= kind < len(KINDS) for _, kind in MODELS.values())


@pytest.mark.parametrize(
    ("model", "kind"),
    [("HGM6110", 1), ("HGM6120", 0), ("HGM9510", 2), ("HGM9520", 3), ("HGM9560", 4), ("HGM9580", 5), ("DSE8620", 3)],
)
def test_the_kind_follows_the_model(model, kind):
    assert kind_of(model) == kind


def test_a_variant_is_of_its_models_kind_and_a_stranger_is_what_the_factory_says():
    assert kind_of("HGM6110N-4G") == SELF_STARTING
    assert kind_of("GU620A-00") == SELF_STARTING
    assert kind_of("XYZ") == AMF


def test_it_is_what_the_manual_prints():
    (manual,) = FOLDER.glob("000_*.txt")
    form = manual.read_text("utf-8").partition("**Form4**")[2].partition("## 5.2")[0]
    printed = dict(re.findall(r"(\w[\w .-]*?)\s*\|?\t\s*([\w-]+(?: |-)[\w -]*module)", form))
    same = {name: printed[name].replace("Mains-single", "Mains-genset").lower() for name in printed if name in MODELS}
    assert len(same) >= 45
    assert same == {name: KINDS[MODELS[name][1]].lower() for name in same}
