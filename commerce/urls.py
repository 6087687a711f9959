"""Every address of the site, by the room that answers."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.core import health, metrics
from apps.core.security_txt import security_txt
from apps.storefront.api import urls as storefront

urlpatterns = [
    path("health/live/", health.live),
    path("health/ready/", health.ready),
    path("health/", health.ready),
    path("metrics", metrics.metrics_view),
    path(".well-known/security.txt", security_txt),
    # The name under which the back office's form to sign in looks for it.
    path(
        f"{settings.ADMIN_PATH}forgotten/",
        RedirectView.as_view(pattern_name="shop:forgotten"),
        name="admin_password_reset",
    ),
    path(settings.ADMIN_PATH, admin.site.urls),
    path("api/v1/", include("commerce.api")),
    *storefront.crawled,
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
    path("", include("apps.shop.pages.urls")),
]

handler400 = "apps.core.api.problems.bad_request"
handler404 = "apps.shop.pages.errors.not_found"
handler500 = "apps.shop.pages.errors.server_error"
