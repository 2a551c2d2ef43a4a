"""`python -m node` is the command `khazana`."""

from node.cli import main

if __name__ == "__main__":
    main()
