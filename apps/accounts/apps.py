from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from apps.accounts import selectors
        from apps.accounts.services.roles import sync_roles_after_migrate

        # After the last app's: by then every permission exists.
        last = [config for config in apps.get_app_configs() if config.models_module][-1]
        post_migrate.connect(
            sync_roles_after_migrate, sender=last, dispatch_uid="accounts.sync_roles"
        )
