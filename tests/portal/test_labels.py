import pytest

from concentrator.model.quantities import QUANTITIES
from concentrator.portal.labels import label_in

INTERNATIONAL = {"gas"}
"""Labels that are the same in both languages."""


def test_in_english_a_label_is_the_label():
    label = label_in("en")
    assert [quantity.label for quantity in QUANTITIES.values() if label(quantity.label) != quantity.label] == []


def test_every_canonical_variable_has_a_label_in_spanish():
    label = label_in("es")
    same = {quantity.label for quantity in QUANTITIES.values() if label(quantity.label) == quantity.label}
    assert {each.partition(",")[0] for each in same} <= INTERNATIONAL


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("current L1", "corriente L1"),
        ("voltage L1-L2", "tensión L1-L2"),
        ("active energy imported L2, tariff 3", "energía activa importada L2, tarifa 3"),
        ("DC voltage 4", "tensión CC 4"),
        ("energy generated today", "energía generada hoy"),
        ("reactive energy, quadrant 1, tariff 2", "energía reactiva, cuadrante 1, tarifa 2"),
        ("the colour of the lid", "the colour of the lid"),
        ("", ""),
    ],
)
def test_only_the_pieces_of_a_label_are_translated(english, spanish):
    assert label_in("es")(english) == spanish
