"""The whole program while the broker and the FTP server are away: all of it arrives later, exactly as journalled."""

import time

import pytest_twisted

from tests.support.whole import FILE_S, PERIOD_S, pause

LIVE_S = 2 * PERIOD_S
"""For how long after its end an interval still counts as live."""


def next_boundary(period_s, after_s=0):
    return ((time.time() + after_s) // period_s + 1) * period_s


@pytest_twisted.ensureDeferred
async def test_an_outage_of_broker_and_ftp_server_costs_nothing(whole_box):
    whole_box.begin()
    await whole_box.until(lambda: whole_box.subscriber.data(), 25, "a first message")

    # both away over at least three intervals and one file's end
    await pause(next_boundary(PERIOD_S) + PERIOD_S / 2 - time.time())
    whole_box.broker.kill()
    whole_box.ftp.kill()
    await pause(next_boundary(FILE_S, LIVE_S + PERIOD_S) + 1 - time.time())

    def are_away():
        uplinks = (whole_box.status() or {"uplinks": []})["uplinks"]
        return uplinks and all(not each["is_up"] and each["waiting"] > 0 and each["trouble"] for each in uplinks)

    await whole_box.until(are_away, 10, "both known to be away, with something waiting for each")

    # the FTP server comes back broken: it dies in the middle of the first file, then refuses to store
    whole_box.broker.start()
    whole_box.ftp.start("die=400")
    await whole_box.until(lambda: whole_box.ftp.files(), 90, "a file begun")
    whole_box.ftp.again("stor")
    await pause(3)
    whole_box.ftp.again()

    checked_until = next_boundary(FILE_S)
    await pause(checked_until + 1 - time.time())
    await whole_box.until(lambda: not whole_box.unpublished(checked_until), 90, "published as journalled")
    await whole_box.until(lambda: not whole_box.unfiled(checked_until), 90, "filed as journalled")
    late = [payload for payload in whole_box.subscriber.data() if payload.get("backfill")]
    assert late, "what came late says so"
    whole_box.stop()
    assert "s3cret-word" not in whole_box.log()
    last = whole_box.subscriber.messages()[-1]
    assert last[0].endswith("/status")
    assert last[1]["state"] == "offline"
