"""Cost of serving a local file in ranges: our responder beside nginx, CPU seconds per gigabyte, in one run."""
