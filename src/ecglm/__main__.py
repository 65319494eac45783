"""`python -m ecglm` does what the `ecglm` command does."""

import sys

from ecglm.cli import main

sys.exit(main())
