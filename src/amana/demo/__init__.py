"""The demo world: an operator with play money, people and shops, and a trickle of trade."""

from amana.demo.traffic import trade
from amana.demo.world import DemoWorld, prepare

__all__ = ["DemoWorld", "prepare", "trade"]
