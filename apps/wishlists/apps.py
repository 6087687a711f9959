from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WishlistsConfig(AppConfig):
    name = "apps.wishlists"
    verbose_name = _("Wishes")

    def ready(self) -> None:
        from apps.wishlists import receivers
        from apps.wishlists.selectors import alerts
