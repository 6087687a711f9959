"""Database and cache."""

from typing import Any

from commerce.settings.env import VAR_DIR, env

VAR_DIR.mkdir(exist_ok=True)


def database(url: str) -> dict[str, Any]:
    """Django's settings for a database URL, with what each engine needs to be safe."""
    config: dict[str, Any] = dict(env.db_url_config(url))
    options = config.setdefault("OPTIONS", {})
    engine = config["ENGINE"].rsplit(".", 1)[-1]
    if engine == "sqlite3":
        # One writer at a time, waiting instead of failing: a deferred transaction would be
        # refused the moment it first writes.
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    elif engine == "postgresql":
        # No health check: a SELECT 1 costs a third of a cached-plan read, and a connection that
        # died costs one request a 503, which callers may repeat.
        config["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
        options.setdefault(
            "options",
            "-c lock_timeout=3s -c statement_timeout=30s"
            " -c idle_in_transaction_session_timeout=30s",
        )
        # A statement that came twice is planned no more: a third of a checkout's, and half of a
        # list's, time in the database.
        if env.bool("DATABASE_PREPARE", default=True):
            options |= {"server_side_binding": True, "prepare_threshold": 2}
    elif engine == "mysql":
        # PyMySQL: pure Python, so that no compiler is needed.
        import pymysql

        pymysql.install_as_MySQLdb()
        config["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
        options |= {
            "charset": "utf8mb4",
            "init_command": "SET innodb_lock_wait_timeout=3, sql_mode='STRICT_TRANS_TABLES'",
        }
    return config


DATABASES = {
    "default": database(env("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'commerce.sqlite3'}"))
}

REDIS_URL = env("REDIS_URL", default="")
if REDIS_URL:
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {
                # A cache that answers later than this is worth less than none.
                "SOCKET_CONNECT_TIMEOUT": 0.25,
                "SOCKET_TIMEOUT": 0.25,
                # A shop without its cache is slower, not closed.
                "IGNORE_EXCEPTIONS": True,
            },
        }
    }
    DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Public answers kept in memory by each web process; 0: none. Processes share them by Redis.
READY_BYTES_MB = env.int("READY_BYTES_MB", 32)
READY_BYTES_SHARED = bool(REDIS_URL)
