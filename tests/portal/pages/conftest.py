import pytest


@pytest.fixture
def site(box, clock):
    """The pages of the test's `box`."""
    return box.site(clock)
