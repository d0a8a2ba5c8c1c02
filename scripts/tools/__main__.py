"""`python -m scripts.tools NAME...`: for scripts, which run before anything is installed."""

import sys

from .bring import main

if __name__ == "__main__":
    main(sys.argv[1:])
