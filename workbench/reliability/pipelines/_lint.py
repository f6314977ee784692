"""`lint`: all rules, applied to the policies of a pipeline."""

from typing import TYPE_CHECKING

from workbench.reliability.pipelines._labels import layer_names
from workbench.reliability.pipelines._rules import View
from workbench.reliability.pipelines._rules_of_numbers import NUMBER_RULES
from workbench.reliability.pipelines._rules_of_order import ORDER_RULES
from workbench.reliability.pipelines._worst_case import costs
from workbench.reliability.pipelines.errors import PipelineError
from workbench.reliability.pipelines.findings import Findings, by_severity

if TYPE_CHECKING:
    from workbench.reliability.policy import Policy

__all__ = ["RULES", "lint"]

RULES = (*NUMBER_RULES, *ORDER_RULES)


def lint(policies: "tuple[Policy, ...]", load: float | None, deadline_s: float | None) -> Findings:
    """Return what the rules find.

    Raises
    ------
    PipelineError
        When a number is out of range.
    """
    for name, value in (("load", load), ("deadline_s", deadline_s)):
        wrong = isinstance(value, bool) or not isinstance(value, int | float | None)
        if wrong or (value is not None and not 0 < value < float("inf")):
            what = (
                "a positive number of seconds"
                if name == "deadline_s"
                else "a positive number, 1 is all there is"
            )
            msg = f"{name} is {value!r}, expected {what}"
            raise PipelineError(msg)
    view = View(policies, tuple(layer_names(policies)), tuple(costs(policies)), load, deadline_s)
    found = (finding for rule in RULES for finding in rule(view))
    return Findings(by_severity(found), view.costs[0].attempts, view.costs[0].seconds)
