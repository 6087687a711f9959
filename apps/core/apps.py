from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "apps.core"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from apps.core import checks, events, outbox, receivers

        if settings.BACKGROUND == "celery":
            events.on_publish(outbox.Waker())
