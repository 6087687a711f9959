"""WSGI for API, admin and pages: `gunicorn commerce.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 (needs the application)

from apps.core.ready.application import ReadyBytes  # noqa: E402
from commerce.background import Background  # noqa: E402

if settings.READY_BYTES_MB:
    application = ReadyBytes(application)

if settings.BACKGROUND == "thread":
    Background().start()
