"""`python -m amana` is the command `amana`."""

from amana.cli import main

main()
