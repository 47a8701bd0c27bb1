"""Where an index of a text goes: by characters with their marks, by words, by lines.

Must never change a text, and never give an index outside it. Never fails.
"""

from term.characters import MARKS


def step_on(text: str, index: int) -> int:
    """After this character and its marks."""
    index = min(len(text), index + 1)
    while index < len(text) and MARKS[text[index]]:
        index += 1
    return index


def step_back(text: str, index: int) -> int:
    """Before the character whose marks end here."""
    index = max(0, index - 1)
    while index > 0 and MARKS[text[index]]:
        index -= 1
    return index


def word_on(text: str, index: int) -> int:
    """After the word that begins here or further on."""
    while index < len(text) and not text[index].isalnum():
        index += 1
    while index < len(text) and (text[index].isalnum() or MARKS[text[index]]):
        index += 1
    return index


def word_back(text: str, index: int) -> int:
    """Before the word that ends here or further back."""
    while index > 0 and not text[index - 1].isalnum():
        index -= 1
    while index > 0 and (text[index - 1].isalnum() or MARKS[text[index - 1]]):
        index -= 1
    return index


def blank_back(text: str, index: int) -> int:
    """Before what stands between blanks: the word of a shell."""
    while index > 0 and text[index - 1].isspace():
        index -= 1
    while index > 0 and not text[index - 1].isspace():
        index -= 1
    return index


def line_end(text: str, index: int) -> int:
    """Before the newline that ends this line."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end
