"""`python -m amana.purse.signatory FOLDER DESCRIPTOR`: started by the mint, never by hand."""

import sys
from pathlib import Path

from amana.purse.signatory.child import run

if __name__ == "__main__":
    folder, descriptor = sys.argv[1:]
    sys.exit(run(Path(folder), int(descriptor)))
