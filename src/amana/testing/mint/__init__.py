"""A mint for other people's clients and suites: play money, and a look-alike of Lightning.

It lives in `testing`, which no part of the product that serves people may import.
"""

from amana.testing.mint.world import MintSettings, OpenMint, open_mint

__all__ = ["MintSettings", "OpenMint", "open_mint"]
