"""The demo shop: what `make demo` builds, through the services that everybody uses."""
