"""One module per version, run by Alembic. What is written here is never edited again: databases were made by it."""
