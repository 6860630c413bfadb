"""Settings of the site."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE cms.site_settings (
    id boolean DEFAULT true CONSTRAINT pk_site_settings PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    -- A page that is deleted for good leaves the place empty; a file in use can't be deleted.
    home_page_id uuid
        CONSTRAINT fk_site_settings_home_page_id_documents REFERENCES cms.documents ON DELETE SET NULL,
    posts_page_id uuid
        CONSTRAINT fk_site_settings_posts_page_id_documents REFERENCES cms.documents ON DELETE SET NULL,
    logo_id uuid CONSTRAINT fk_site_settings_logo_id_media REFERENCES cms.media,
    icon_id uuid CONSTRAINT fk_site_settings_icon_id_media REFERENCES cms.media,
    -- Everything else, as far as it was ever set.
    data jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by uuid,
    CONSTRAINT ck_site_settings_one CHECK (id),
    CONSTRAINT ck_site_settings_data CHECK (jsonb_typeof(data) = 'object')
);
INSERT INTO cms.site_settings DEFAULT VALUES;

INSERT INTO auth.role_permissions (role_key, permission) VALUES ('administrator', 'settings:write');
"""

DOWN = """
DELETE FROM auth.role_permissions WHERE permission = 'settings:write';
DROP TABLE cms.site_settings;
"""


def upgrade() -> None:
    """Make the table, with its one row."""
    op.execute(UP)


def downgrade() -> None:
    """Drop it, with all settings."""
    op.execute(DOWN)
