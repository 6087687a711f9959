vcl 4.1;
# Varnish 7 with vmod xkey (Debian: varnish, varnish-modules) in front of the web server.
# Only what says `public` is kept; a purge needs a private address and VARNISH_SECRET, which this
# process finds in its environment. docs/caching.md tells the rest.

import std;
import xkey;

backend web {
    .host = "web";
    .port = "8000";
    .first_byte_timeout = 35s;
}

acl purgers {
    "localhost";
    "10.0.0.0"/8;
    "172.16.0.0"/12;
    "192.168.0.0"/16;
    "fd00::"/8;
}

sub vcl_recv {
    if (req.method == "PURGE") {
        if (client.ip !~ purgers || !std.getenv("VARNISH_SECRET")
            || req.http.X-Purge-Secret != std.getenv("VARNISH_SECRET")) {
            return (synth(403, "Forbidden"));
        }
        set req.http.X-Purged = xkey.purge(req.http.X-Purge-Keys);
        return (synth(200, "Purged " + req.http.X-Purged));
    }
    unset req.http.X-Purge-Secret;
    unset req.http.X-Purge-Keys;

    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Who has signed in, and machines.
    if (req.http.Authorization || req.http.Cookie ~ "(^|;\s*)sessionid=") {
        return (pass);
    }
    if (req.url ~ "^/api/") {
        # No other cookie means anything there.
        unset req.http.Cookie;
        call normalise;
    }
    if (req.url ~ "^/(static|media)/") {
        unset req.http.Cookie;
    }
    if (req.http.Cookie) {
        return (pass);
    }
    return (hash);
}

# Few spellings of what answers depend on (`Vary`), so that few copies are kept.
sub normalise {
    if (req.http.X-Store == "") {
        unset req.http.X-Store;
    }
    # As many as LANGUAGES has; the first that is wanted.
    if (req.http.Accept-Language ~ "(?i)^\s*es\b") {
        set req.http.Accept-Language = "es";
    } else {
        set req.http.Accept-Language = "en";
    }
}

sub vcl_hash {
    # Links in an answer begin with it; host and address are hashed as well (builtin.vcl).
    hash_data(req.http.X-Forwarded-Proto);
}

sub vcl_backend_response {
    if (beresp.http.Cache-Control !~ "(?i)(^|,)\s*public\s*(,|$)"
        || beresp.http.Cache-Control ~ "(?i)private|no-store|no-cache"
        || beresp.http.Set-Cookie
        || beresp.http.Vary ~ "(?i)(^|,)\s*(Cookie|Authorization|\*)\s*(,|$)") {
        # Asked anew by each, without waiting for one another.
        set beresp.uncacheable = true;
        set beresp.ttl = 10s;
        return (deliver);
    }
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    # Given on, for as long as the answer allows, while it is fetched anew.
    set beresp.grace = 0s;
    if (beresp.http.Cache-Control ~ "stale-while-revalidate=[0-9]+") {
        set beresp.grace = std.duration(
            regsub(beresp.http.Cache-Control, "^.*stale-while-revalidate=([0-9]+).*$", "\1s"), 0s);
    }
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.xkey;
    unset resp.http.Surrogate-Key;
    unset resp.http.Cache-Tag;
    unset resp.http.Via;
    unset resp.http.X-Varnish;
    if (obj.hits > 0) {
        set resp.http.X-Cache = "hit";
        # The id of another's request.
        unset resp.http.X-Request-Id;
    } else {
        set resp.http.X-Cache = "miss";
    }
}
