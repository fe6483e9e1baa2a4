"""Purse backups: one sealed blob of constant size for each customer, and the day it was left."""

from amana.purse.backups.store import Backup, BackupRows, BackupStore

__all__ = ["Backup", "BackupRows", "BackupStore"]
