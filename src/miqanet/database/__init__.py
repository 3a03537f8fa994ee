"""The image database: schema, revisions, simulated build, queries and folds.

Importing this package costs nothing: SQLAlchemy and Alembic (the extra `database`) are needed by the modules
that store, not by `records`, `sampling` and `folds`, which training uses where no database can travel.
"""
