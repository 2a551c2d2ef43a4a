"""Why an index cannot answer or go on. None of it stops a node.

IndexFailure                 any of them
├── IndexUnusable            the database cannot be used as it is: another network's, another
│   │                        writer's; the message says what to change
│   └── RebuildNeeded        it can only be made anew from the blocks: of another form, of another
│                            chain of this network, damaged
├── IndexUnreachable         the database does not answer; tried again by itself
└── IndexOverrun             an answer took longer than it may
"""


class IndexFailure(Exception):
    """The index cannot do what it was asked for; the message says what to do."""


class IndexUnusable(IndexFailure):
    """The database holds something else than the index of this chain."""


class RebuildNeeded(IndexUnusable):
    """The database can only be made anew from the blocks; who tells it says by which command."""


class IndexUnreachable(IndexFailure):
    """The database does not answer."""


class IndexOverrun(IndexFailure):
    """A question took longer than an answer may take."""
