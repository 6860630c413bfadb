"""The permissions of the auth domain."""

USERS_READ = "users:read"
USERS_WRITE = "users:write"
ROLES_READ = "roles:read"

PERMISSIONS: dict[str, str] = {
    USERS_READ: "See all users.",
    USERS_WRITE: "Create, change and delete users.",
    ROLES_READ: "See roles and permissions.",
}
