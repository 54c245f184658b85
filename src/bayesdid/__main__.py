"""``python -m bayesdid``."""

from bayesdid.cli.app import main

main()
