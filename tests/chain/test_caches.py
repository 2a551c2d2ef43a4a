"""The bounded cache: right while it remembers, and never larger than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from node.chain.caches import ENTRY_OVERHEAD_BYTES, GenerationCache

MISSING = -1
steps = st.lists(
    st.tuples(st.integers(0, 30), st.none() | st.integers(0, 100), st.integers(0, 500))
)


@given(steps)
def test_cache_forgets_but_never_errs(plan: list[tuple[int, int | None, int]]) -> None:
    cache: GenerationCache[int | None] = GenerationCache(6_000)
    truth: dict[bytes, int | None] = {}
    for number, value, size_bytes in plan:
        key = bytes([number])
        assert cache.get(key, MISSING) in (truth.get(key, MISSING), MISSING)
        cache.put(key, value, size_bytes)
        truth[key] = value
        assert cache.get(key, MISSING) == value
        assert cache.size_bytes <= 6_000


@given(steps)
def test_count_of_bytes_is_that_of_the_entries(plan: list[tuple[int, int | None, int]]) -> None:
    cache: GenerationCache[int | None] = GenerationCache(1 << 20)
    sizes: dict[int, int] = {}
    for number, value, size_bytes in plan:
        cache.put(bytes([number]), value, size_bytes)
        sizes[number] = size_bytes + ENTRY_OVERHEAD_BYTES

    assert cache.size_bytes == sum(sizes.values())
    assert len(cache) == len(sizes)
    cache.clear()
    assert (cache.size_bytes, len(cache)) == (0, 0)


@given(steps, st.integers(1, 8))
def test_many_at_once_are_kept_as_one_by_one(
    plan: list[tuple[int, int | None, int]], batch: int
) -> None:
    one_by_one: GenerationCache[int | None] = GenerationCache(6_000)
    at_once: GenerationCache[int | None] = GenerationCache(6_000)
    for first in range(0, len(plan), batch):
        some = plan[first : first + batch]
        keys = [bytes([number]) for number, _, _ in some]
        for key, (_, value, size_bytes) in zip(keys, some, strict=True):
            one_by_one.put(key, value, size_bytes)
        at_once.put_all(keys, [value for _, value, _ in some], [size for _, _, size in some])

        assert at_once.size_bytes == one_by_one.size_bytes
        assert len(at_once) == len(one_by_one)
    for number in range(31):
        key = bytes([number])
        assert at_once.get(key, MISSING) == one_by_one.get(key, MISSING)


def test_what_is_used_stays() -> None:
    cache: GenerationCache[int] = GenerationCache(40 * ENTRY_OVERHEAD_BYTES)
    cache.put(b"used", 7, 0)
    for number in range(1_000):
        cache.put(number.to_bytes(2), number, 0)
        assert cache.get(b"used", MISSING) == 7

    assert cache.get((0).to_bytes(2), MISSING) == MISSING
    assert len(cache) <= 40


def test_absence_can_be_remembered() -> None:
    cache: GenerationCache[int | None] = GenerationCache(10_000)
    cache.put(b"absent", None, 0)

    assert cache.get(b"absent", MISSING) is None
    assert cache.get(b"unknown", MISSING) == MISSING
    assert cache.misses == 1


def test_entry_larger_than_the_cache_pushes_the_others_out() -> None:
    cache: GenerationCache[int] = GenerationCache(1_000)
    cache.put(b"small", 1, 0)
    cache.put(b"huge", 2, 5_000)
    cache.put(b"next", 3, 0)

    assert cache.get(b"next", MISSING) == 3
    cache.put(b"huge", 4, 0)
    assert cache.get(b"huge", MISSING) == 4
    assert cache.size_bytes == 2 * ENTRY_OVERHEAD_BYTES
