from io import StringIO

from concentrator.app.progress import Bar


class Terminal(StringIO):
    def isatty(self):
        return True


class Watch:
    """Seconds that pass as the test says."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def shown(screen):
    """What stands on the terminal's one line."""
    line = ""
    for part in screen.getvalue().split("\r"):
        line = part + line[len(part) :]
    return line.rstrip()


def test_a_bar_grows_and_is_gone_at_the_end():
    screen, watch = Terminal(), Watch()
    bar = Bar(screen, watch)
    bar.tell(0.0, "ID 1")
    assert shown(screen) == "[........................]   0 %  ID 1"
    bar.tell(0.5, "ID 100")
    bar.tell(0.75, "ID 7")
    assert shown(screen) == "[##################......]  75 %  ID 7"
    bar.end()
    assert shown(screen) == ""
    assert "\n" not in screen.getvalue()


def test_it_says_how_long_the_rest_will_take_once_that_can_be_known():
    screen, watch = Terminal(), Watch()
    bar = Bar(screen, watch)
    watch.now += 1
    bar.tell(0.1, "x")
    assert "left" not in shown(screen)
    watch.now += 9
    bar.tell(0.2, "x")
    assert shown(screen).endswith("20 %  x, 40 s left")
    bar.tell(0.01, "x")
    assert shown(screen).endswith(" 1 %  x, 16 min left")
    bar.tell(1.0, "x")
    assert shown(screen).endswith("100 %  x")


def test_where_nobody_watches_nothing_is_said():
    screen = StringIO()
    bar = Bar(screen)
    bar.tell(0.5, "x")
    bar.end()
    assert screen.getvalue() == ""
