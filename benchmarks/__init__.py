"""What the shop does in a second, beside a hello-world on the same machine: `make bench`."""
