"""Background work."""

from commerce.schedule import SCHEDULE
from commerce.settings.env import DEBUG, env

# "celery": a worker and beat. "thread": inside the web process, without a broker (the demo).
# "manual": nothing runs by itself (tests, cron with `manage.py relay_outbox`).
BACKGROUND = env("BACKGROUND", default="thread" if DEBUG else "celery")
OUTBOX_POLL_SECONDS = 5.0

CELERY_BROKER_URL = env("BROKER_URL", default=env("REDIS_URL", default="memory://localhost/"))
CELERY_TASK_ALWAYS_EAGER = BACKGROUND != "celery"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = (
    # Longer than the longest task; a silent broker must not hold a request.
    {"visibility_timeout": 900, "socket_timeout": 2, "socket_connect_timeout": 1}
    if CELERY_BROKER_URL.startswith("redis")
    else {}
)
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "apps.core.tasks.relay_outbox": {"queue": "critical"},
    # Minutes of it, and nobody waits.
    "apps.payments.tasks.compare_payments": {"queue": "bulk"},
    "apps.payments.tasks.*": {"queue": "critical"},
    "apps.notifications.tasks.*": {"queue": "mail"},
    "apps.webhooks.tasks.*": {"queue": "mail"},
    "apps.integrations.tasks.*": {"queue": "bulk"},
    "apps.products.tasks.*": {"queue": "bulk"},
    "apps.reviews.tasks.*": {"queue": "bulk"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = SCHEDULE
