"""Who may do what with what readers say; saying it needs no permission."""

READ = "reader_comments:read"
MODERATE = "reader_comments:moderate"
CONFIGURE = "reader_comments:configure"

PERMISSIONS: dict[str, str] = {
    READ: "See readers' comments in every state, with the addresses of who wrote them.",
    MODERATE: "Approve, edit and delete readers' comments; erase who wrote them.",
    CONFIGURE: "Decide where readers may comment, and what is taken for spam.",
}
