"""Celery tasks of accounts."""

from __future__ import annotations

from celery import shared_task

from apps.accounts.services import tokens


@shared_task(ignore_result=True)
def prune_tokens() -> int:
    """Delete refresh tokens that expired."""
    return tokens.prune_tokens()
