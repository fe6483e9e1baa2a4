"""The command `amana`: every command with its help, progress on long work, JSON for programs."""

import sys
from typing import Final

from cyclopts import App

from amana import __version__
from amana.cli.exits import told

app: Final = App(
    name="amana",
    help="An open mobile-payment network: private from the purse, named from the account.",
    version=__version__,
)

COMMANDS: Final = (
    ("demo", "amana.cli.demo:demo", "Start everything here with play money."),
    ("init", "amana.cli.operate:init", "Make the data folder of a new operator."),
    ("officer", "amana.cli.operate:officer", "Add an officer, and show the token once."),
    ("serve", "amana.cli.operate:serve", "Serve an operator until interrupted."),
    ("recover", "amana.cli.operate:recover", "Finish payments that were interrupted."),
    ("doctor", "amana.cli.operate:doctor", "Look over an operator's folder and machine."),
    ("audit", "amana.cli.books:audit", "Recompute the books independently."),
    ("backup", "amana.cli.keep:backup", "Write three archives for three places."),
    ("restore", "amana.cli.keep:restore", "Make a data folder from the three archives."),
    ("replay", "amana.cli.replay:replay", "Run published card purchases through the network."),
    ("relay", "amana.cli.relay:relay", "Pass sealed requests on to mints that others run."),
    ("simulate", "amana.cli.simulate:simulate", "Run simulated worlds with faults."),
    ("bench", "amana.cli.bench:bench", "Measure speed here, as ratios."),
)
"""Name, where it is, and what it does in a line; loaded only when called."""

for _name, _place, _help in COMMANDS:
    app.command(_place, name=_name, help=_help)

ledger: Final = App(name="ledger", help="Look into the books.")
ledger.command("amana.cli.books:show", name="show", help="Show the books, or one payment in them.")
app.command(ledger)

vet: Final = App(name="vet", help="Attack what the operator holds, and print what was found.")
vet.command("amana.cli.vet:who_paid", name="who-paid", help="Guess who paid from the purse.")
app.command(vet)

PURSE_COMMANDS: Final = (
    ("keysets", "List every keyset, with what of it is out."),
    ("rotate", "Begin a new keyset."),
    ("revoke", "Revoke a keyset whose key may be in other hands."),
    ("limit", "Set how often each denomination of a keyset may sign."),
    ("rebuild", "Make a lost list of keysets again."),
    ("liabilities", "Show what is owed to holders of e-cash."),
)
purse: Final = App(name="purse", help="Look after the e-cash mint.")
for _name, _help in PURSE_COMMANDS:
    purse.command(f"amana.cli.purse:{_name}", name=_name, help=_help)
app.command(purse)


def main() -> None:
    """Run the command line."""
    sys.exit(told(app))
