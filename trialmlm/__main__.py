"""``python -m trialmlm``."""

import sys

from trialmlm.cli import main

sys.exit(main())
