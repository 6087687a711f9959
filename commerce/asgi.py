"""ASGI, for servers that speak nothing else; WSGI is faster for everything here."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce.settings")
application = get_asgi_application()
