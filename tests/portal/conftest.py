import pytest

from tests.support.pages import Visitor


@pytest.fixture
def site(box, clock):
    """The pages of the test's `box`."""
    return box.site(clock)


@pytest.fixture
def visitor(box, site):
    """Somebody who looks at them."""
    return Visitor(box, site)
