"""concentrator.app.changing: what changes with the settings; of speeds see also test_gateways."""

from twisted.internet.defer import succeed

from concentrator.app.changing import Several


def test_several_are_one():
    told = []

    class One:
        def leave(self, config):
            told.append("leave")
            return succeed(None)

        def start(self, config):
            told.append("start")

    both = Several((One(), One()))
    assert both.leave(None).called
    both.start(None)
    assert told == ["leave", "leave", "start", "start"]
