from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "apps.orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from apps.orders import receivers, selectors
        from apps.orders.services import verbs
        from apps.orders.services.automation import make_ready_rules

        post_migrate.connect(make_ready_rules, sender=self, dispatch_uid="orders.ready_rules")
