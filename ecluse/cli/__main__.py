"""``python -m ecluse.cli``: the command line where its script isn't on the path."""

from ecluse.cli.app import main

if __name__ == "__main__":
    main()
