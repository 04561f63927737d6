"""concentrator.sms.budget: how often in a time that goes along."""

from concentrator.sms.budget import Budget


def test_a_budget_is_spent_and_comes_back_one_by_one():
    budget = Budget(2, 100.0)
    assert budget.has_some(0.0) and budget.free_at(0.0) == 0.0
    budget.spend(0.0)
    budget.spend(30.0)
    assert not budget.has_some(99.0) and budget.free_at(99.0) == 100.0
    assert budget.has_some(100.0)
    budget.spend(100.0)
    assert budget.free_at(100.0) == 130.0
    assert budget.has_some(1000.0)


def test_a_budget_remembers_no_more_than_it_allows():
    budget = Budget(3, 10.0)
    for moment in range(1000):
        if budget.has_some(moment):
            budget.spend(moment)
    assert len(budget._spent) <= 3
