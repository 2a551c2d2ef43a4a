"""Full text, on both databases: what is found, in which order, page by page."""

from random import Random

from node.index.database import Database
from node.index.schema import TEXTS


async def test_texts_are_found_page_by_page_whatever_is_common_or_rare(
    database: Database,
) -> None:
    await database.open()
    chance = Random(5)
    long = "disbursements", "disbursementform"  # beyond what has a list of its own
    words = ["rent", *long, "rental", "برائے", "فصل", "été", "a", "ab", "b2", "2026", "strasse"]
    weights = [1 / (1 + number**2) for number in range(len(words))]
    rows = []
    for place in range(600):
        text = " ".join(dict.fromkeys(chance.choices(words, weights, k=3)))
        rows.append((1 + place // 20, 2 + place % 20, 0, "transaction", f"{place}", text, text))
    await database.write(lambda session: session.add(TEXTS, rows))

    async def pages(*wanted: str) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        before = (1 << 62, 0, 0)
        while True:
            page, further = await database.find(wanted, before, 7)
            found += page
            if len(page) < 7:
                assert further is None
                return found
            before = page[-1][:3]

    for wanted in (
        ("rent",), ("re",), ("a",), ("r", "a"), ("برا",), ("2",), ("zz",), ("strasse",),
        ("disbursement",), ("disbursements",), ("disbursementf", "r"), ("disbursementsx",),
        ("disbursements", "disbursementform"),
    ):  # fmt: skip
        expected = [
            row
            for row in reversed(rows)
            if all(any(each.startswith(word) for each in row[6].split()) for word in wanted)
        ]
        assert await pages(*wanted) == expected, wanted
