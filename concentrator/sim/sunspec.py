"""The registers of a simulated SunSpec device: a chain of models, as its profile wants them, with everything that no
variable is for marked "not implemented". Hides which models go together, and how long they are.

Source: SunSpec Device Information Model Specification.
"""

from __future__ import annotations

import struct

from concentrator.model.profile import DeviceProfile, Function
from concentrator.profile.encodings import Form, encoding_of
from concentrator.profile.match import spans
from concentrator.profile.sunspec import Chain, bases_of, chain_profile, wanted_models
from concentrator.profile.sunspec_models import HEADER, Entry, Model, entries
from concentrator.sim.profile_map import Place, ProfileMap

_MARKER = b"SunS"
_END = (0xFFFF, 0)
_COMMON, _STRINGS, _STORAGE = 1, 160, 124
_STRING_COUNT = 2
_LENGTHS = {
    _COMMON: 66,
    **dict.fromkeys((101, 102, 103), 50),
    **dict.fromkeys((111, 112, 113), 60),
    **dict.fromkeys((201, 202, 203, 204), 105),
    **dict.fromkeys((211, 212, 213, 214), 124),
    _STRINGS: 8 + 20 * _STRING_COUNT,
    _STORAGE: 24,
}
_BESIDE_AN_INVERTER = (_STRINGS, _STORAGE, 203)
_LIKELY = (103, 113, 203, 213)
"""The models of three-phase devices."""


def sunspec_map(profile: DeviceProfile) -> ProfileMap:
    """The layout of devices of a profile with `dialect = "sunspec"`: the common model, the one it is recognised by, and
    with an inverter those of its strings, its storage and its meter which the profile wants."""
    chain = Chain(bases_of(profile)[0], tuple(_models(profile)))
    words = dict(zip(_span(chain.base, HEADER), struct.unpack(">HH", _MARKER), strict=True))
    for model in chain.models:
        words |= dict.fromkeys(_span(model.address + HEADER, model.length), 0x8000)
        for entry in entries(model):
            words |= zip(_span(entry.address, entry.count), _absent(entry), strict=True)
        words |= zip(_span(model.address, HEADER), (model.number, model.length), strict=True)
        if model.number == _STRINGS:
            words[_count_of_strings(model)] = _STRING_COUNT
    end = chain.models[-1].end
    words |= zip(_span(end, HEADER), _END, strict=True)
    return ProfileMap(chain_profile(profile, chain, profile.brand), words)


def _span(address: int, count: int) -> list[Place]:
    return [(None, Function.HOLDING, address + n) for n in range(count)]


def _count_of_strings(model: Model) -> Place:
    return None, Function.HOLDING, model.address + 8  # model 160: N


def _models(profile: DeviceProfile) -> list[Model]:
    wanted = [number for number in wanted_models(profile) if number in _LENGTHS]
    marks = [span for point in profile.points if point.match for span in spans(point.match)]
    marked = [number for number in wanted if any(first <= number <= last for first, last in marks)]
    own = next((number for number in marked if number in _LIKELY), marked[0] if marked else wanted[-1])
    beside = [n for n in _BESIDE_AN_INVERTER if n in wanted and n != own] if profile.type == "inverter" else []
    models: list[Model] = []
    address = bases_of(profile)[0] + HEADER
    for number in (_COMMON, own, *beside):
        models.append(Model(number, address, _LENGTHS[number]))
        address = models[-1].end
    return models


def _absent(entry: Entry) -> tuple[int, ...]:
    """The registers of a value that the device does not have."""
    encoding = encoding_of(entry.encoding)
    assert encoding is not None, "the models have no types of which there is no encoding"
    if encoding.form is Form.TEXT:
        return (0,) * entry.count
    absent = float("nan") if encoding.form is Form.FLOAT else entry.sentinels[0]
    return struct.unpack(f">{entry.count}H", struct.pack(f">{encoding.code}", absent))
