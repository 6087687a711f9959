"""Exit 0 when the web process answers; asked under a host name that it serves."""

import http.client
import os
import sys

host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].lstrip(".*") or "localhost"
connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
connection.request("GET", "/health/live/", headers={"Host": host})
sys.exit(connection.getresponse().status != 200)
