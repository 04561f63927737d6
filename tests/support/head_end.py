"""A head-end that reads M-Bus meters through a gateway, as others write them: it knows frames, time-outs and
repetitions, nothing of this program. A generator: it yields what it says and how long it waits, in seconds, and is sent
what it hears."""

from __future__ import annotations

ANSWER_S = 0.6
TRIES = 4
SELECTED = 0xFD


def short(control: int, address: int) -> bytes:
    return bytes((0x10, control, address, (control + address) & 0xFF, 0x16))


def selection(address: bytes) -> bytes:
    body = bytes((0x73, SELECTED, 0x52)) + address
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def is_telegram(heard: bytes) -> bool:
    """Whether this is one whole telegram, its checksum right."""
    return (
        len(heard) > 9
        and heard[0] == heard[3] == 0x68
        and len(heard) == heard[1] + 6
        and heard[1] == heard[2]
        and heard[-1] == 0x16
        and heard[-2] == sum(heard[4:-2]) & 0xFF
    )


def reading(primary: int, secondary: bytes | None = None):
    """Reads a meter, selected by its secondary address where one is given: gives its telegrams, from the identification
    on, or None where it was not understood in so many tries."""
    address = primary if secondary is None else SELECTED
    for _ in range(TRIES):
        yield short(0x40, address), ANSWER_S if secondary is None else 0.1
        if secondary is not None and (yield selection(secondary), ANSWER_S) != b"\xe5":
            continue
        telegrams, control = [], 0x7B
        for _ in range(20):
            heard = yield short(control, address), ANSWER_S
            if not is_telegram(heard):
                break
            telegrams.append(heard[7:-2])
            control ^= 0x20
            if heard[-3] != 0x1F:
                return telegrams
    return None
