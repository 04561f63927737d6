"""The controllers that SmartGen's cloud modem knows, by their maker, and what kind of module each is.

Source: SmartGen CMM365-2G user manual V1.1, Form 4; the numbers of the kinds are its Form 1, "Module Configuration
Info". The note of the MRS10 II is missing there: it is taken to be what its neighbours are.
"""

from __future__ import annotations

from collections.abc import Mapping

AMF, SELF_STARTING, SINGLE_SINGLE, MAINS_GENSET, MAINS_BUS, BUS_BUS = range(6)

KINDS = (
    "AMF module",
    "single-unit self-starting module",
    "single-single parallel module",
    "mains-genset parallel module",
    "mains-bus parallel module",
    "bus-bus parallel module",
)
"""The kinds of module in words, by number."""

_FORM_4: Mapping[str, Mapping[int, str]] = {
    "SmartGen": {
        AMF: "HGM6120 HGM7x20 HGM420 HGM9120 HGM9220 HGM9320 HGM9420 HGM9620 ZX9320 TC1.0 TC2.0",
        SELF_STARTING: "HGM6110 HGM7x10 HGM410 HGM9210 HGM9310 HGM9410 HGM9610 HSC940 TC3.0",
        SINGLE_SINGLE: "HGM9510 HGM9530",
        MAINS_GENSET: "HGM9520 HGM9540",
        MAINS_BUS: "HGM9560",
        BUS_BUS: "HGM9580",
    },
    "DeepSea": {
        AMF: "DSE7120MKII DSE7220 DSE7320 DSE7420",
        SELF_STARTING: "DSE7110MKII DSE7210 DSE7310 DSE7410 DSE7450",
        SINGLE_SINGLE: "DSE8610",
        MAINS_GENSET: "DSE8620",
    },
    "ComAp": {AMF: "AMF25_II", SELF_STARTING: "MRS10_II MRS16_II", SINGLE_SINGLE: "IGNT"},
    "Harsen": {
        AMF: "GU621A GU631A GU621A-00 GU631A-00",
        SELF_STARTING: "GU620A GU630A GU620A-00 GU630A-00 GU320A GU320B",
    },
}

MODELS: Mapping[str, tuple[str, int]] = {
    name.replace("_", " "): (maker, kind)
    for maker, by_kind in _FORM_4.items()
    for kind, names in by_kind.items()
    for name in names.split()
}
"""Maker and number of the kind, by model."""


def kind_of(model: str) -> int:
    """The number of a model's kind. One that is not in the list is of the kind of the listed model its name begins with
    (HGM6120N is an HGM6120), else an AMF module, which is the factory setting."""
    longest = max((each for each in MODELS if model.startswith(each)), key=len, default="")
    return MODELS[longest][1] if longest else AMF
