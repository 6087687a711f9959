from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FraudConfig(AppConfig):
    name = "apps.fraud"
    verbose_name = _("Fraud")

    def ready(self) -> None:
        from apps.fraud import receivers, selectors
