import pytest

from concentrator.web.access import Role


@pytest.mark.parametrize("role", Role)
def test_a_role_covers_itself_and_those_before_it(role):
    order = list(Role)
    assert [role.covers(other) for other in order] == [order.index(other) <= order.index(role) for other in order]
    assert order == [Role.VIEWER, Role.INSTALLER, Role.ADMINISTRATOR]
