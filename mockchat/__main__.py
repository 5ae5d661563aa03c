"""`python -m mockchat` is the command `mockchat`."""

import sys

from mockchat.cli import main

sys.exit(main())
