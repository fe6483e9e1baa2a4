"""Alembic's environment: the connection comes from whoever asks for the migration."""

from alembic import context

from amana.storage._columns import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="storage_version",
)
with context.begin_transaction():
    context.run_migrations()
