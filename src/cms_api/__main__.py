"""``python -m cms_api`` and ``cms``."""

from cms_api.cli import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="cms")


if __name__ == "__main__":
    main()
