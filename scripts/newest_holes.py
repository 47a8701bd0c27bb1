"""Ask PyPI's record of each project for the known holes of its newest version.

    python scripts/newest_holes.py <PACKAGES      lines of NAME==VERSION

PyPI keeps the list of known holes with each version, which is what pip-audit asks for; some mirrors
hand out only the record of the whole project, which says it of the newest version. So this is for
`scripts/audit.sh`, where that other record is not to be had, and for packages that are up to date.

Must never call a package good of which nothing was said. Prints one line for each that is not
good, and one of figures. Exit 0: each is its project's newest version, and has no known hole; 1:
some have one; 3: of some nothing was said.
"""

import json
import re
import sys
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

INDEX = "https://pypi.org/pypi"
PATIENCE_S = 15
GOOD, BAD, UNKNOWN = 0, 1, 3


def judge(name: str, version: str, record: dict[str, Any]) -> tuple[int, str]:
    """What the record of a project says of this version of it: (an exit code, a sentence)."""
    newest = record["info"]["version"]
    holes = record.get("vulnerabilities")
    if version != newest:
        return UNKNOWN, f"{name} {version}: is not the newest ({newest}), so nothing is said of it."
    if holes is None:
        return UNKNOWN, f"{name} {version}: its record does not say whether it has known holes."
    standing = [hole for hole in holes if not hole.get("withdrawn")]
    if not standing:
        return GOOD, ""
    which = ", ".join(f"{hole['id']} ({hole.get('summary') or 'no summary'})" for hole in standing)
    return BAD, f"{name} {version}: {which}"


def ask(name: str, version: str) -> tuple[int, str]:
    """The same, of the record that the index has now."""
    if re.fullmatch(r"[A-Za-z0-9._-]+", name) is None:
        return UNKNOWN, f"{name!r} is not the name of a package."
    try:
        with urlopen(f"{INDEX}/{name}/json", timeout=PATIENCE_S) as answer:  # noqa: S310  # https, by INDEX
            return judge(name, version, json.load(answer))
    except (URLError, TimeoutError, ValueError, KeyError) as error:
        return UNKNOWN, f"{name} {version}: its record could not be had: {error!r}"


def main() -> int:
    """Judge what standard input lists."""
    packages = [line.strip().partition("==") for line in sys.stdin if line.strip()]
    codes = []
    for name, _, version in packages:
        code, sentence = ask(name, version)
        codes.append(code)
        if sentence:
            print(sentence)
    print(
        f"{len(codes)} packages by the records of their newest versions: {codes.count(GOOD)}"
        f" without a known hole, {codes.count(BAD)} with, {codes.count(UNKNOWN)} not known"
    )
    return BAD if BAD in codes else UNKNOWN if UNKNOWN in codes or not codes else GOOD


if __name__ == "__main__":
    sys.exit(main())
