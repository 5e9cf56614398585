"""`python -m newsindex` is the command `newsindex`."""

import sys

from newsindex.cli import main

if __name__ == "__main__":
    sys.exit(main())
