from apps.fraud.selectors import truths  # noqa: F401 (registers its checks)
from apps.fraud.selectors.facts import facts_of
from apps.fraud.selectors.reports import RuleReport, rule_report
from apps.fraud.selectors.settings import settings_of

__all__ = ["RuleReport", "facts_of", "rule_report", "settings_of"]
