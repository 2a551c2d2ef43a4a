"""The life of auctions on the ledger, step by step; `auctions/` has the figures, which are pure.

::

    ANNOUNCED ──opens──▶ OPEN ──closes──▶ REVEALING ──book completed──▶ DECIDING
                                                                          │  │
                        SETTLED ◀──last piece of the ladder── DECIDED ◀───┘  └───▶ REJECTED
                                                            the ministry     nobody, or it rejects

An auction that is settled or rejected forgets its bids, a bounded number a block.
"""
