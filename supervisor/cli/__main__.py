"""Start here: `gatherer` and `python -m supervisor.cli`."""

from supervisor.cli.main import gatherer


def main() -> None:
    """Run the command line and exit with its code."""
    gatherer(prog_name="gatherer")


if __name__ == "__main__":
    main()
