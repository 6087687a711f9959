"""The themed admin. Its sidebar and its dashboard are made in commerce/admin.py."""

from django.templatetags.static import static

from commerce.settings.env import DEMO, env

ADMIN_PATH = env("ADMIN_PATH", default="admin/")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

UNFOLD = {
    "SITE_TITLE": "Commerce",
    "SITE_HEADER": "Commerce",
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("back_office/icon.svg"),
        }
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "commerce.admin.environment" if DEMO else None,
    "DASHBOARD_CALLBACK": "commerce.admin.dashboard",
    "STYLES": [lambda request: static("back_office/back_office.css")],
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "commerce.admin.navigation",
    },
}
# A TrueType font for scripts that Source Sans Pro hasn't (Chinese, Arabic, Hebrew, …), in PDFs.
PDF_FALLBACK_FONT = env("PDF_FALLBACK_FONT", default="")
