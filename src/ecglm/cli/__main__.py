"""`python -m ecglm.cli`."""

import sys

from ecglm.cli import main

sys.exit(main())
