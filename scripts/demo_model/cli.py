"""What the scripts have in common: a failure is one line that says what is wrong, and a status that is not 0."""

import sys


def run(main, name: str, when_interrupted: str = "stopped") -> None:
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(f"{name}: {when_interrupted}")
    except ImportError as error:
        sys.exit(f"{name}: {error}; --help names the packages that are needed")
    except OSError as error:
        sys.exit(f"{name}: {error.filename}: {error.strerror}" if error.filename else f"{name}: {error}")
    except (RuntimeError, ValueError, KeyError) as error:
        sys.exit(f"{name}: {error}")
