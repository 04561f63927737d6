from concentrator.app.link_watch import follow, status_lines


def status(state="looking", *found, text="", left=600.0):
    linked = [{"serial": serial, "unit": unit} for serial, unit in found]
    is_on = state != "off"
    return {"line": "native", "is_on": is_on, "state": state, "found": linked, "text": text, "seconds_left": left}


def test_link_mode_is_told_with_what_it_found():
    said = list(status_lines(status("looking", ("0420020081", 2), text="two devices answer", left=290)))
    assert said == [
        "native: link mode is on, looking; it ends by itself in 5 min",
        "  0420020081 has ID 2",
        "  two devices answer",
    ]
    assert list(status_lines(status("off"))) == ["native: link mode is off"]


class Box:
    """A box whose link mode stands differently each time it is asked."""

    def __init__(self, *stands):
        self.stands, self.asked, self.said = list(stands), [], []

    def do(self, action):
        self.asked.append(action)
        stand = self.stands.pop(0)
        if stand is KeyboardInterrupt:
            raise KeyboardInterrupt
        return stand

    def follow(self):
        follow(self.stands.pop(0), self.do, self.said.append, lambda: None)
        return self.said


FIRST = "native: link mode is on; press the meters' buttons one after another, Ctrl-C when all are done"


def test_each_meter_is_told_as_it_gets_its_id_and_every_trouble_once():
    one, two = ("0420020081", 2), ("0420020085", 3)
    box = Box(
        status(),
        status("assigning", one),
        status("collision", one, text="two devices answer, press one button at a time"),
        status("looking", one, text="two devices answer, press one button at a time"),
        status("looking", one, two),
        status("off", one, two),
    )
    assert box.follow() == [
        FIRST,
        "  0420020081 has ID 2",
        "  two devices answer, press one button at a time",
        "  0420020085 has ID 3",
        "native: link mode is off, 2 meters linked; reading goes on",
    ]
    assert set(box.asked) == {"link.status"}


def test_whoever_leaves_takes_the_box_out_of_link_mode():
    box = Box(status(), KeyboardInterrupt, status("off", ("0420020081", 2)))
    assert box.follow() == [
        FIRST,
        "  0420020081 has ID 2",
        "native: link mode is off, 1 meter linked; reading goes on",
    ]
    assert box.asked == ["link.status", "link.stop"]
