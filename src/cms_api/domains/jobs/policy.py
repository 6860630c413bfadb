"""The permissions of the jobs domain. Nobody needs one for a job of their own."""

READ = "jobs:read"
CANCEL = "jobs:cancel"

PERMISSIONS: dict[str, str] = {
    READ: "See everybody's jobs.",
    CANCEL: "Cancel everybody's jobs.",
}
