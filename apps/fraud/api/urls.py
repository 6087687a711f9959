"""Addresses of fraud's API, without prefix."""

from django.urls import path

from apps.fraud.api.rules import FraudRuleViewSet, FraudSettingsViewSet
from apps.fraud.api.views import AssessmentViewSet, RuleReportView

_ONE = "fraud/assessments/<uuid:id>/"
_CHANGE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

admin = [
    path("fraud/assessments/", AssessmentViewSet.as_view({"get": "list"})),
    path(_ONE, AssessmentViewSet.as_view({"get": "retrieve"})),
    path(f"{_ONE}approve/", AssessmentViewSet.as_view({"post": "approve"})),
    path(f"{_ONE}reject/", AssessmentViewSet.as_view({"post": "reject"})),
    path("fraud/report/", RuleReportView.as_view({"get": "retrieve"})),
    path("fraud/rules/", FraudRuleViewSet.as_view({"get": "list", "post": "create"})),
    path("fraud/rules/<uuid:id>/", FraudRuleViewSet.as_view(_CHANGE)),
    path("fraud/settings/<slug:code>/", FraudSettingsViewSet.as_view(_CHANGE)),
]
