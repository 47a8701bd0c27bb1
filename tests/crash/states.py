"""The states that a power cut can leave after one operation, sorted by what went wrong (the modes).

    M1   everything up to here made it, or nothing since the last syncs
    M2   any subset of the unsynced pages: all of them when they are few, otherwise sampled, with
         each single page missing and each single page present
    M3   one unsynced page whose sectors are old, new or rubbish
    M4   a name made it, the data of its file did not: no size, or zeros
    M5   a name did not make it, though data that was synced later did
    M6   the new size without the data, and the data without the new size
    M7   an unlinking that came too late, or before everything else
    M8   a synced new file, or a new folder, that is missing where it should be

M9 (a sync that failed and a process that goes on) and M10 (a crash in the recovery of a crash) take
another recording each, and the modes above in it; M11 is damage that no power cut does: see
`tests.crash.explore`.

Must never draw from anything but the generator that it is given.
"""

from collections.abc import Iterator
from itertools import product
from random import Random

from tests.crash.platter import NOBODY, PAGE, SECTOR, Choice, PageKey, Platter

MODES = ("M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8")
PAGES_EXHAUSTIVE_MAX = 12
SAMPLES_MAX = 2000

State = tuple[str, Choice]


def first_of_each(platter: Platter, rng: Random) -> list[State]:
    """One state of each mode that applies here."""
    found: list[State] = []
    for make in MAKERS:
        found += [state for state, _ in zip(make(platter, rng), range(1), strict=False)]
    return found


def all_of_each(platter: Platter, rng: Random) -> Iterator[State]:
    """Every state of each mode that applies here."""
    for make in MAKERS:
        yield from make(platter, rng)


def prefixes(platter: Platter, rng: Random) -> Iterator[State]:
    yield "M1", platter.everything()
    if platter.pending or platter.pending_folders or platter.page_atoms() or platter.size_atoms():
        yield "M1", platter.nothing()


def subsets(platter: Platter, rng: Random) -> Iterator[State]:
    atoms = platter.page_atoms()
    keys = list(atoms)
    if not keys:
        return
    whole = platter.everything()
    if len(keys) <= PAGES_EXHAUSTIVE_MAX:
        for taken in product((False, True), repeat=len(keys)):
            pages = {key: atoms[key][-1] for key, yes in zip(keys, taken, strict=True) if yes}
            yield "M2", Choice(pages, whole.sizes, whole.names)
        return
    for key in keys:
        yield "M2", Choice({key: atoms[key][-1]}, whole.sizes, whole.names)
        others = {other: data for other, data in whole.pages.items() if other != key}
        yield "M2", Choice(others, whole.sizes, whole.names)
    for _ in range(SAMPLES_MAX):
        pages = {key: rng.choice(atoms[key]) for key in keys if rng.random() < 0.5}
        yield "M2", Choice(pages, whole.sizes, whole.names)


def old_page(platter: Platter, key: PageKey, length: int) -> bytes:
    number, page = key
    return platter.files[number].durable[page * PAGE : page * PAGE + length].ljust(length, b"\0")


def mixed(old: bytes, new: bytes, dice: list[int], rng: Random) -> bytes:
    """A page of which each sector is the old one (0), the new one (1) or rubbish (2)."""
    parts = []
    for sector, die in enumerate(dice):
        place = slice(sector * SECTOR, (sector + 1) * SECTOR)
        part = (old, new)[die][place] if die < 2 else rng.randbytes(len(new[place]))
        parts.append(part)
    return b"".join(parts)


def sectors(platter: Platter, rng: Random) -> Iterator[State]:
    whole = platter.everything()
    for key, new in whole.pages.items():
        old = old_page(platter, key, len(new))
        count = -(-len(new) // SECTOR)
        patterns = [[2] * count]
        for sector in range(count):
            for one, others in ((2, 1), (0, 1), (1, 0), (2, 0)):
                dice = [others] * count
                dice[sector] = one
                patterns.append(dice)
        patterns += [[rng.randrange(3) for _ in range(count)] for _ in range(8)]
        for dice in patterns:
            page = mixed(old, new, dice, rng)
            yield "M3", Choice({**whole.pages, key: page}, whole.sizes, whole.names)
            if len(whole.pages) > 1:
                yield "M3", Choice({key: page}, whole.sizes, whole.names)


def empty_names(platter: Platter, rng: Random) -> Iterator[State]:
    whole = platter.everything()
    for number in whole.names.values():
        if number != NOBODY and (platter.files[number].pages or platter.files[number].sizes):
            pages = {key: data for key, data in whole.pages.items() if key[0] != number}
            sizes = {each: size for each, size in whole.sizes.items() if each != number}
            yield "M4", Choice(pages, sizes, whole.names)
            yield "M4", Choice(pages, whole.sizes, whole.names)


def lost_names(platter: Platter, rng: Random) -> Iterator[State]:
    whole = platter.everything()
    late = [path for path, since in platter.since.items() if since < platter.last_data_sync]
    if late:
        names = {path: node for path, node in whole.names.items() if path not in late}
        yield "M5", Choice(whole.pages, whole.sizes, names)
        yield "M5", Choice(whole.pages, whole.sizes, {})
        for path in late:
            names = {each: node for each, node in whole.names.items() if each != path}
            yield "M5", Choice(whole.pages, whole.sizes, names)
            yield "M5", Choice(whole.pages, whole.sizes, {path: whole.names[path]})


def torn_sizes(platter: Platter, rng: Random) -> Iterator[State]:
    whole = platter.everything()
    for number in whole.sizes:
        others = {key: data for key, data in whole.pages.items() if key[0] != number}
        yield "M6", Choice(others, whole.sizes, whole.names)
        sizes = {each: size for each, size in whole.sizes.items() if each != number}
        yield "M6", Choice(whole.pages, sizes, whole.names)
        for size in platter.files[number].sizes[:-1]:
            yield "M6", Choice(whole.pages, {**whole.sizes, number: size}, whole.names)


def unlinkings(platter: Platter, rng: Random) -> Iterator[State]:
    whole = platter.everything()
    for path, node in whole.names.items():
        if node == NOBODY and platter.durable_names.get(path, NOBODY) != NOBODY:
            names = {each: other for each, other in whole.names.items() if each != path}
            yield "M7", Choice(whole.pages, whole.sizes, names)
            yield "M7", Choice({}, {}, {path: NOBODY})


def missing_files(platter: Platter, rng: Random) -> Iterator[State]:
    whole = platter.everything()
    for path, node in whole.names.items():
        if node != NOBODY and path not in platter.durable_names and platter.files[node].synced:
            names = {each: other for each, other in whole.names.items() if each != path}
            yield "M8", Choice(whole.pages, whole.sizes, names)
    for folder in platter.pending_folders:
        yield "M8", Choice(whole.pages, whole.sizes, whole.names, frozenset({folder}))


MAKERS = (
    prefixes,
    subsets,
    sectors,
    empty_names,
    lost_names,
    torn_sizes,
    unlinkings,
    missing_files,
)


def random_state(platter: Platter, rng: Random) -> State:
    """Everything that may be so or so decides for itself; the mode is the nearest."""
    pages: dict[PageKey, bytes] = {}
    mode = "M1"
    atoms = platter.page_atoms()
    torn = rng.randrange(len(atoms)) if atoms else -1
    keep = rng.choice((0.2, 0.5, 0.9))
    for index, (key, versions) in enumerate(atoms.items()):
        if index == torn:
            new = rng.choice(versions)
            dice = [rng.randrange(3) for _ in range(-(-len(new) // SECTOR))]
            pages[key] = mixed(old_page(platter, key, len(new)), new, dice, rng)
            mode = "M3"
        elif rng.random() < keep:
            pages[key] = rng.choice(versions)
    sizes = {n: rng.choice(some) for n, some in platter.size_atoms().items() if rng.random() < 0.8}
    names = {p: rng.choice(some) for p, some in platter.pending.items() if rng.random() < 0.6}
    if len(names) < len(platter.pending):
        mode = "M5" if mode == "M1" else mode
    lost = frozenset(folder for folder in platter.pending_folders if rng.random() < 0.3)
    return mode, Choice(pages, sizes, names, lost)
