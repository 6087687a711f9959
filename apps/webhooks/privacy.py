"""What is personal in webhooks: nothing, they tell ids."""

from apps.core.personal import impersonal_texts
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint

impersonal_texts(WebhookEndpoint, "name url events secrets")
impersonal_texts(WebhookDelivery, "event body error")
