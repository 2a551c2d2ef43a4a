"""The life of auctions on the ledger, step by step; `auctions/` has the figures, which are pure.

::

    ANNOUNCED ──opens──▶ OPEN ──closes──▶ REVEALING ──book completed──▶ DECIDING
                                                                          │  │
                        SETTLED ◀──last piece of the ladder── DECIDED ◀───┘  └───▶ REJECTED
                                                            the ministry     nobody, or it rejects

An auction that is settled or rejected forgets its bids, a bounded number a block.

`announced.py` has what every act asks first; `bidders.py` who may bid and what is held against it;
`sealed.py` and `unpriced.py` the two kinds of bids, `mandates.py` those on paper; `rating.py` lines
whose rate or margin is bid for; `ladder.py` the book once it is complete, `deciding.py` what comes
of it; `deliverable.py` what can be delivered, `delivering.py` delivery against payment,
`settling.py` a ladder row by row; `steps.py` what happens by time. Nothing else writes the tables
of auctions, but for mandates, which their acts write; `books.py` says what must hold of them.
"""
