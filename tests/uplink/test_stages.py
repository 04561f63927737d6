from concentrator.uplink.stages import Stages


class Watch:
    def __init__(self):
        self.at, self.told = 0.0, []

    def now(self):
        return self.at

    def tell(self, done, text, so_far=None):
        self.told.append((round(done, 2), text, so_far))

    def stages(self, *names):
        return Stages(names, self.now, self.tell)


def shown(json):
    return [(each["name"], each["state"], each["ms"]) for each in json["stages"]]


def test_stages_pass_one_after_another_each_with_its_time():
    watch = Watch()
    stages = watch.stages("name", "port")
    watch.at = 0.0042
    stages.passed("name")
    assert shown(stages.as_json()) == [("name", "passed", 4.2), ("port", "running", None)]
    assert stages.as_json()["passed"] is None
    watch.at = 1.0042
    stages.passed("port")
    assert shown(stages.as_json())[1] == ("port", "passed", 1000.0)
    assert stages.as_json()["passed"] is True
    assert [(done, text) for done, text, _ in watch.told] == [(0.0, "name"), (0.5, "port"), (1.0, "")]


def test_the_first_failure_ends_it_with_its_reason_and_what_is_known_of_it():
    watch = Watch()
    stages = watch.stages("name", "port", "login")
    stages.passed("name")
    stages.facts["host"] = "b"
    stages.failed("refused", "Connection refused", port=1883)
    assert shown(stages.as_json()) == [("name", "passed", 0.0), ("port", "failed", 0.0), ("login", "waiting", None)]
    json = stages.as_json()
    assert (json["passed"], json["reason"], json["said"]) == (False, "refused", "Connection refused")
    assert json["facts"] == {"host": "b", "port": 1883}


def test_what_comes_out_of_turn_or_after_the_end_is_nothing():
    stages = Watch().stages("name", "port")
    stages.passed("port")
    assert stages.at == "name"
    stages.failed("name")
    stages.failed("port")
    stages.passed("name")
    assert (stages.reason, stages.as_json()["passed"]) == ("name", False)
