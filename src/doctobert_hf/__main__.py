"""``python -m doctobert_hf``."""

import sys

from doctobert_hf.cli import main

sys.exit(main())
