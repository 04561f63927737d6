import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint

from tests.support.browser import Browser
from tests.support.served import Served
from tests.support.web import FakeBox


@pytest.fixture(scope="package")
def browser():
    """One browser for all of these tests, because starting one takes longer than most of them."""
    browser = Browser(reactor)
    pytest_twisted.blockon(Deferred.fromCoroutine(browser.start()))
    yield browser
    pytest_twisted.blockon(Deferred.fromCoroutine(browser.stop()))


@pytest.fixture
def box():
    return FakeBox()


@pytest.fixture
def served(browser, box):
    """The pages of the test's `box`; at the end the browser must not have complained of anything."""
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    port = pytest_twisted.blockon(endpoint.listen(box.site(reactor)))
    browser.errors.clear()
    yield Served(box, port, browser)
    pytest_twisted.blockon(Deferred.fromCoroutine(browser.leave()))
    pytest_twisted.blockon(browser.ask("Network.clearBrowserCookies"))
    pytest_twisted.blockon(port.stopListening())
    assert browser.errors == []
