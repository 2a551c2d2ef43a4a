"""The business acts: one a file, by desk. Each file has its operation, checks, effect and events.

An act imports no other act; what acts share lies in the modules beside this package. A new act is a
new file with a tag that was never used, and its lines in
`operations`, `events` and `catalogue`.

Tags are encoded and permanent. An event has its act's tag; those below 54 that are missing here
belong to events without an act of their own.

====  =========================  ==========  ===================================================
tag   operation                  class       event
====  =========================  ==========  ===================================================
1     register_participant       OFFICE      ParticipantRegistered
2     update_participant_status  OFFICE      ParticipantStatusUpdated
3     grant_office               OFFICE      OfficeGranted
4     grant_licence              OFFICE      LicenceGranted
5     revoke_licence             OFFICE      LicenceRevoked
6     open_account               OFFICE      AccountOpened
7     set_account_policy         ADMINISTER  AccountPolicySet
8     hold_account               OFFICE      AccountHeld
9     release_account            OFFICE      AccountReleased
10    close_account              ADMINISTER  AccountClosed
20    define_asset               OFFICE      AssetDefined
21    issue                      OFFICE      Issued
22    transfer                   TRANSFER    Transferred
23    place_hold                 OFFICE      HoldPlaced
24    release_hold               OFFICE      HoldReleased
25    forced_transfer            OFFICE      ForciblyTransferred
26    redeem                     OFFICE      Redeemed
28    (time)                                 HoldExpired
40    propose                    OFFICE      Proposed, then perhaps 48 or 49
41    approve                    OFFICE      Approved, then perhaps 48 or 49
42    withdraw                   OFFICE      Withdrawn
43    set_parameter              OFFICE      ParameterSet
44    set_powers                 OFFICE      PowersSet
45    add_validator              OFFICE      ValidatorAdded
46    remove_validator           OFFICE      ValidatorRemoved
47    rotate_validator_key       OFFICE      ValidatorKeyRotated
48    (40 or 41)                             ProposalApplied, then the events of its operations
49    (40 or 41)                             ProposalRefused
50    (time)                                 ProposalExpired
51    schedule_upgrade           OFFICE      UpgradeScheduled
52    cancel_upgrade             OFFICE      UpgradeCancelled
53    (height)                               ProtocolUpgraded
80    announce_auction           OFFICE      AuctionAnnounced
81    commit_bid                 TRANSFER    BidCommitted
82    withdraw_bid               TRANSFER    BidWithdrawn
83    reveal_bid                 TRANSFER    BidRevealed
84    place_bid                  TRANSFER    BidPlaced, or 93
85    decide_auction             OFFICE      AuctionDecided, then perhaps 95 or 97; or 89
86    (time)                                 AuctionOpened
87    (time)                                 AuctionClosed
88    (time)                                 BookCompleted, then perhaps 89
89    (85 or time)                           AuctionRejected
90    (time)                                 AllotmentSettled
91    (time)                                 AllotmentFailed
92    (time)                                 AuctionSettled
93    (84)                                   BidsVoided
94    (time)                                 FaceBoughtBack
95    (85)                                   RateDecided
96    (time)                                 EnvelopesUnentered
97    (85)                                   MarginDecided, then 69 for rates that follow
58    (time)                                 HolderPaid
59    (time)                                 WithholdingCollected
60    fund_payment               TRANSFER    PaymentFunded
61    set_withholding            OFFICE      WithholdingSet
62    (time)                                 RecordTaken
63    (time)                                 FundingChecked
64    (time)                                 PaymentUnfunded
65    (time)                                 HoldersPaid
66    (time)                                 PaymentSettled
67    (time)                                 HoldRedeemed
68    (time)                                 RecordWaits
69    fix_rate                   OFFICE      RateFixed, or by time
70    (time)                                 RateAwaited
71    call_security              OFFICE      SecurityCalled
72    define_strips              OFFICE      StripsDefined
73    strip_security             TRANSFER    SecurityStripped
74    reconstitute_security      TRANSFER    SecurityReconstituted
100   define_calendar            OFFICE      CalendarDefined
101   amend_calendar             OFFICE      CalendarAmended
102   (101, then time)                       AppointmentMoved
110   give_bid_mandate           ADMINISTER  BidMandateGiven
111   revoke_bid_mandate         ADMINISTER  BidMandateRevoked
112   lodge_envelope             OFFICE      EnvelopeLodged
113   return_envelope            OFFICE      EnvelopeReturned
114   enter_bid                  OFFICE      BidEntered, then perhaps 93
115   (time)                                 FaceSwitched
116   publish_plan               OFFICE      PlanPublished
138   (time)                                 FaceReallotted, behind 90, 94 or 115
150   identify_person            OFFICE      PersonIdentified
151   set_tax_status             OFFICE      TaxStatusSet
152   (time)                                 TaxStatusRules
====  =========================  ==========  ===================================================

The class is that of the threshold which the accounts named must reach. Operations of the class
OFFICE, but for the three about proposals, are under the powers matrix: they name approvers, and
they can be proposed.
"""
