"""Fail unless every service that the tests name answers, in its own language."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import environ
import psycopg
import pymysql
import redis
from kombu import Connection


def postgres(url: str) -> str:
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1)) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        return str(row and row[0])


def mysql(url: str) -> str:
    to = environ.Env.db_url_config(url)
    connection = pymysql.connect(
        host=to["HOST"], port=to["PORT"] or 3306, user=to["USER"], password=to["PASSWORD"]
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        return str(cursor.fetchone()[0])


def redis_server(url: str) -> str:
    return str(redis.Redis.from_url(url, socket_timeout=5).info("server")["redis_version"])


def amqp(url: str) -> str:
    with Connection(url, connect_timeout=5) as connection:
        connection.ensure_connection(max_retries=3)
        return str(connection.connection.server_properties["version"])


SERVICES: dict[str, Callable[[str], str]] = {
    "TEST_POSTGRES_URL": postgres,
    "TEST_MYSQL_URL": mysql,
    "TEST_REDIS_URL": redis_server,
    "TEST_AMQP_URL": amqp,
}

failed = False
for name, version in SERVICES.items():
    try:
        print(f"{name}: {version(os.environ[name])}")
    except Exception as error:
        failed = True
        print(f"{name}: {type(error).__name__}: {error}")
sys.exit(failed)
