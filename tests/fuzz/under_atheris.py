"""One target under atheris: `python -m tests.fuzz.under_atheris TARGET [options of libFuzzer]`.

The only file that needs atheris, and started only by tests.fuzz.run. Our packages are instrumented
as they are imported; so are the parsers of the standard library that ours stand on.

Must never be imported by another module. Fails as libFuzzer does: exit 77 and a file for a finding.
"""

import sys

import atheris  # type: ignore[import-untyped]  # it has no types, and is not installed here

INSTRUMENTED = ["wire", "store", "term", "msgd", "msgc", "json", "tomllib"]

with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Never comes back: libFuzzer ends the process."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
