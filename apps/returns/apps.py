from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReturnsConfig(AppConfig):
    name = "apps.returns"
    verbose_name = _("Returns")

    def ready(self) -> None:
        from apps.returns import receivers, selectors
