"""The composition root: settings, the operator put together, its HTTP face and its workers."""
