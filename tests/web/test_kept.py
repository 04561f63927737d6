from concentrator.web.kept import KEPT_MOST, KEPT_S, KeptForms, Typed


def test_what_was_typed_is_found_again_once_without_its_secrets(clock):
    kept = KeptForms(clock)
    fields = {"host": ["mqtts://a", "mqtts://b"], "password": ["x"], "new": ["y"], "token": ["z"], "none": []}
    key = kept.keep("/services/mqtt", fields)
    assert kept.take("") is None
    assert kept.take(key) == Typed("/services/mqtt", {"host": "mqtts://b"})
    assert kept.take(key) is None


def test_it_is_kept_for_a_while_only(clock):
    kept = KeptForms(clock)
    keys = [kept.keep("/a", {}) for _ in range(2)]
    clock.advance(KEPT_S)
    assert kept.take(keys[0]) is not None
    clock.advance(1)
    assert kept.take(keys[1]) is None


def test_nobody_makes_the_box_keep_much(clock):
    kept = KeptForms(clock)
    keys = [kept.keep(f"/{number}", {}) for number in range(KEPT_MOST + 1)]
    assert kept.take(keys[0]) is None
    assert all(kept.take(key) is not None for key in keys[1:])
