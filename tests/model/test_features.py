from concentrator.model.features import FEATURES, Features
from concentrator.system.identity import MODEL_CODES


def test_every_model_has_what_the_manual_says():
    assert {
        "Lite": Features(),
        "Lite Plus": Features(has_ethernet=True, relays=2),
        "Lite NBIoT": Features(has_modem=True, relays=2),
        "PRO": Features(has_ethernet=True, has_modem=True, relays=2, has_analogue=True),
    } == FEATURES
    assert FEATURES.keys() == MODEL_CODES.keys()
