"""Liars."""
import random
from collections import Counter
class Conspiracy:
    def __init__(self, genesis, *, seed, trace, loop, count): self.counts=Counter()
    def plot(self, *a): pass
    def wrap(self, name): return None
