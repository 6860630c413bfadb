"""A headless CMS API on PostgreSQL."""
