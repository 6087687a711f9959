from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "apps.core"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from django.utils.module_loading import autodiscover_modules

        from apps.core import append_only, checks, events, outbox, receivers, rotating

        # What each app says is personal of its models.
        autodiscover_modules("privacy")
        if settings.BACKGROUND == "celery":
            events.on_publish(outbox.Waker())
        post_migrate.connect(append_only.install_after_migrate, sender=self)
