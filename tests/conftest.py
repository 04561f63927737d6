"""What every test gets."""

import pytest
from hypothesis import HealthCheck, settings
from twisted.internet.task import Clock

# How long an example takes says more of the machine than of what is tested.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Runs property tests directly: pytest-twisted wraps the function of a parametrized one again for every set of
    parameters, so that from the second on it waits for itself."""
    if not hasattr(pyfuncitem.obj, "hypothesis"):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    return True


@pytest.fixture
def clock():
    """A clock on which nothing is left to come at the end."""
    clock = Clock()
    yield clock
    assert not clock.getDelayedCalls()
