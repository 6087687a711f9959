from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FulfillmentConfig(AppConfig):
    name = "apps.fulfillment"
    verbose_name = _("Fulfillment")

    def ready(self) -> None:
        from apps.fulfillment import receivers, selectors
        from apps.fulfillment.services import verbs
