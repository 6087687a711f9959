"""Logs as one JSON object a line, each with its request id and without personal data."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from apps.core.context import current_actor

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := current_actor().request_id:
            line["request_id"] = request_id
        line |= {k: v for k, v in vars(record).items() if k not in _STANDARD and k != "request"}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)
