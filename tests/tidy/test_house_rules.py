"""The house rules, on this checkout."""

import document_rules  # noqa: F401  enters its rules
import pytest
import source_rules  # noqa: F401
from tree import ROOT, RULES, Tree


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule):
    violations = rule(Tree(ROOT))
    assert not violations, "\n" + "\n".join(violations)
