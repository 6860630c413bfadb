"""Statements that change none of the site's settings are no change of them."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# The row that there is of them, by its id in the log.
NOTE = "cms.note('settings', ARRAY['3c1a9d52-6f0b-4c1e-8a57-0b2f4d6e9a10'::uuid], false)"
FUNCTION = """
CREATE OR REPLACE FUNCTION cms.note_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {}
    RETURN NULL;
END $$;
"""
# Triggers of statements fire where no row was touched, too. Whatever document is purged, a foreign key has
# PostgreSQL look for settings that point at it, by such an UPDATE.
UP = FUNCTION.format(f"PERFORM {NOTE} WHERE EXISTS (SELECT FROM touched);")
DOWN = FUNCTION.format(f"PERFORM {NOTE};")


def upgrade() -> None:
    """Look whether there are any rows, as the functions beside it do."""
    op.execute(UP)


def downgrade() -> None:
    """Note each statement."""
    op.execute(DOWN)
