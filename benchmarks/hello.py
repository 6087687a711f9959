"""The yardstick: a plain JsonResponse, no middleware, no database."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(
    SECRET_KEY="hello",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    LOGGING_CONFIG=None,
)


def hello(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "Hello, world"})


urlpatterns = [path("", hello)]
application = get_wsgi_application()
