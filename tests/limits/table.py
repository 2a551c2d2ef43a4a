"""Every limit of the code base and the test that hits it.

A row names a limit as `module.NAME` or `module.Class.name` and one test, `path::function`, that
goes up to it and beyond from outside: as a peer, a client or a file would. `CARRIES` are settings
that carry another's number on to where it is applied; `NO_LIMITS` have the name of one and bound
nothing that anybody sends, each with the reason. `test_table` holds that none is missing.
"""

from collections.abc import Mapping
from typing import Final

_FIELDS: Final = "tests/limits/test_fields.py"
_RECORD: Final = f"{_FIELDS}::test_every_bound_of_a_record_is_exact_and_costs_no_memory"
_MESSAGE: Final = f"{_FIELDS}::test_every_bound_of_a_wire_message_is_exact_and_costs_no_memory"
_FILES: Final = "tests/limits/test_files.py::test_a_file_of_a_gibibyte_is_refused_at_its_limit"
_VALUES: Final = "tests/limits/test_values.py"
_CLIENTS: Final = "tests/limits/test_clients.py"
_LADDERS: Final = "tests/ledger/test_ladders.py::test_operation_is_refused_for_its_fault"
_ENGINE: Final = "tests/consensus/test_engine.py"
_HOSTILE: Final = f"{_ENGINE}::test_a_hostile_validator_cannot_fill_memory_or_log"
_PARAMS: Final = "tests/consensus/test_params.py::test_a_number_out_of_range_is_refused_by_name"
_MESSAGES: Final = "tests/consensus/test_messages.py::test_a_message_out_of_range_cannot_be_built"
_READING: Final = "tests/chain/test_reading.py"
_CHECK: Final = "tests/chain/test_check.py"
_POOL: Final = "tests/chain/test_mempool.py"
_WIRE: Final = "tests/network/test_messages.py"
_SPEAKING: Final = "tests/network/test_speaking.py"
_MEETING: Final = "tests/network/test_meeting.py"
_MISCONDUCT: Final = "tests/network/test_misconduct.py"
_SOCKET: Final = "tests/network/test_websocket.py"
_HANDSHAKES: Final = "tests/network/test_handshakes.py"
_INTAKE: Final = "tests/app/test_intake.py"
_LIES: Final = "tests/app/test_lies.py"
_RPC: Final = "tests/rpc/test_server.py"
_JSON: Final = "tests/rpc/test_jsonrpc.py"
_SUBMIT: Final = "tests/rpc/test_submissions.py"
_STREAM: Final = "tests/rpc/test_sockets.py"
_PAGES: Final = "tests/explorer/test_bounds.py"
_HOUR: Final = "tests/explorer/test_hour.py"
_LIVE: Final = "tests/explorer/test_live.py"
_PLAN: Final = "tests/sync/test_plan.py"
_NO_SCHEDULE: Final = (
    "tests/ledger/test_instruments.py::test_terms_from_which_no_schedule_follows_are_refused"
)
_PRICING: Final = "tests/ledger/pricing/test_pricing.py::test_what_has_no_price_is_refused"
_API_KEYS: Final = "tests/access/test_apikeys.py::test_damaged_file_says_what_is_wrong"
_SECURITIES: Final = "tests/explorer/test_securities.py"
_LONGEST: Final = "test_pages_are_small_with_every_field_at_its_longest"
_SEVERAL_WORDS: Final = (
    "tests/index/test_starts.py"
    "::test_what_several_words_have_in_common_is_found_however_it_is_looked_for"
)
_TENURES: Final = "tests/rpc/test_tenures.py::test_sets_and_times_are_looked_through_up_to_a_bound"
_INDEXED: Final = "tests/rpc/test_indexed.py::test_what_cannot_be_asked_is_refused"
_PUBLISHED: Final = "tests/stream/test_core.py"
_CONTAINERS: Final = "tests/provision/test_containers.py::test_what_cannot_be_had_is_refused"
_AUCTION: Final = "tests/cli/test_primary_auction.py"
_BIDDING: Final = "tests/cli/test_bidding.py"

_DESK: Final = "tests/explorer/test_development.py"
_DESK_FORM: Final = f"{_DESK}::test_a_form_is_taken_from_this_very_page_alone"
_DESK_PAGE: Final = f"{_DESK}::test_the_page_stays_small_with_as_much_as_there_can_be"
_DESK_RUN: Final = f"{_DESK}::test_what_the_page_does_is_on_the_ledger_and_goes_on_after_a_restart"

HIT: Final[Mapping[str, str]] = {
    # Agreement.
    "consensus.params.TIMEOUT_MS_MAX": _PARAMS,
    "consensus.params.ROUNDS_MAX": _PARAMS,
    "consensus.params.ConsensusParams.timeout_max_ms": (
        "tests/consensus/test_params.py::test_timeouts_grow_with_the_round_up_to_the_cap"
    ),
    "consensus.params.ConsensusParams.rounds_kept_max": _HOSTILE,
    "consensus.params.ConsensusParams.rounds_ahead_max": _HOSTILE,
    "consensus.params.ConsensusParams.early_messages_max": (
        f"{_ENGINE}::test_what_is_held_for_the_next_height_is_bounded_for_each_validator"
    ),
    "consensus.types.HEIGHT_MAX": _MESSAGES,
    "consensus.types.ROUND_MAX": _MESSAGES,
    "consensus.validators.VALIDATORS_MAX": (
        f"{_VALUES}::test_a_set_of_more_validators_than_a_certificate_can_name_cannot_be_built"
    ),
    # Prices.
    "node.ledger.plain.KNOWN_MAX": "tests/ledger/test_plain.py::test_no_more_is_known_than_may_be",
    "node.ledger.pricing.bonds.LIFE_MAX_YEARS": _PRICING,
    "node.ledger.pricing.bonds._YIELD_MAX": _PRICING,
    "node.ledger.pricing.grid.DECIMALS_MAX": _PRICING,
    # Calendars, and travel in time.
    "node.ledger.calendars.MOVED_PER_BLOCK_MAX": (
        "tests/ledger/test_calendars.py::test_amendment_is_worked_off_a_bounded_number_a_block"
    ),
    "node.ledger.dates.calendars.CLOSED_MAX": (
        "tests/ledger/dates/test_calendars.py::test_calendar_that_is_none_is_refused"
    ),
    "node.ledger.dates.calendars.HOLIDAYS_MAX": _LADDERS,
    "node.ledger.dates.calendars.WEEKEND_MAX": _RECORD,
    "node.ledger.dates.schedules.PERIODS_MAX": (
        "tests/ledger/dates/test_schedules.py"
        "::test_longest_schedule_has_as_many_periods_as_there_may_be"
    ),
    "node.app.travel.FILE_SIZE_MAX": _FILES,
    "node.control.server.STEP_MAX_MS": "tests/app/test_travel.py::test_node_is_not_set_ahead",
    "node.control.server.WAITING_MAX": (
        "tests/control/test_travel.py::test_so_many_may_wait_for_a_block_and_no_more"
    ),
    # Auctions.
    "node.ledger.auctions.records.BIDS_NUMBERED_MAX": _RECORD,
    "node.ledger.auctions.records.PART_MAX": _RECORD,
    "node.ledger.auctions.records.ROWS_PER_PIECE_MAX": (
        "tests/ledger/auctions/test_bounds.py::test_one_block_settles_one_piece_of_a_ladder"
    ),
    "node.ledger.auctions.terms.BIDS_PER_BIDDER_MAX": _RECORD,
    "node.ledger.auctions.terms.CLASSES_MAX": _RECORD,
    "node.ledger.auctions.terms.COMPETITIVE_BIDS_MAX": _LADDERS,
    "node.ledger.auctions.terms.DURATION_MS_MAX": _LADDERS,
    "node.ledger.auctions.terms.EXCLUSION_DAYS_MAX": _RECORD,
    "node.ledger.auctions.terms.NONCOMPETITIVE_BIDS_MAX": _LADDERS,
    "node.ledger.auctions.terms.NONCOMPETITIVE_SHARE_BPS_MAX": _RECORD,
    "node.ledger.auctions.terms.MARGIN_E4_MAX": (
        "tests/ledger/auctions/test_margins.py::test_margin_beyond_the_whole_is_no_bid"
    ),
    "node.ledger.auctions.terms.PRICE_E4_MAX": _RECORD,
    "node.ledger.auctions.terms.TARGET_MAX": (
        "tests/ledger/auctions/test_bounds.py"
        "::test_target_at_which_all_that_is_paid_would_be_no_amount_is_refused"
    ),
    "node.rpc.auctions.PIECES_MAX": (
        f"{_AUCTION}::test_one_answer_holds_a_bounded_part_of_a_ladder"
    ),
    "node.cli.auction.sealed.FILES_MAX": f"{_BIDDING}::test_files_of_sealed_bids_are_bounded",
    "node.cli.auction.sealed.FILE_SIZE_MAX": f"{_BIDDING}::test_files_of_sealed_bids_are_bounded",
    # Text.
    "node.addresses.TEXT_SIZE_MAX": (
        "tests/foundations/test_addresses.py::test_bech32m_longer_than_its_guarantee_is_refused"
    ),
    "node.amounts.AMOUNT_MAX": (
        "tests/foundations/test_amounts.py::test_what_is_not_exactly_an_amount_is_refused"
    ),
    # Blocks.
    "node.blocks.merkle.LIST_LENGTH_MAX": _RECORD,
    "node.blocks.merkle.DEPTH_MAX": _RECORD,
    "node.blocks.records.BLOCK_SIZE_MAX": (
        "tests/blocks/test_records.py::test_block_over_the_size_limit_is_refused_unread"
    ),
    "node.blocks.records.BLOCK_TRANSACTIONS_MAX": _RECORD,
    "node.blocks.records.BLOCK_EVIDENCE_MAX": _RECORD,
    "node.blocks.records.EVIDENCE_SIZE_MAX": _RECORD,
    "node.blocks.records.INTEGER_MAX": _RECORD,
    "node.blocks.wire.CERTIFICATE_SIZE_MAX": _MESSAGE,
    "node.codec.RECORD_SIZE_MAX": (
        "tests/foundations/test_codec.py::test_input_beyond_its_size_is_refused_unread"
    ),
    "node.codec.INTEGER_MAX": (
        "tests/foundations/test_codec.py::test_value_without_canonical_form_is_not_encoded"
    ),
    # The chain and what is stored.
    "node.chain.behind.BRANCHES_OF_DUE_MAX": (
        "tests/chain/test_behind.py::test_one_branch_too_many_and_they_are_behind"
    ),
    "node.chain.behind.BRANCHES_WITH_BLOCK_MAX": (
        "tests/chain/test_behind.py::test_one_branch_too_many_and_they_are_behind"
    ),
    "node.chain.candidates.CANDIDATES_MAX": (
        "tests/chain/test_chain.py::test_candidates_are_bounded"
    ),
    "node.chain.pruning.PIECE_BLOCKS_MAX": (
        "tests/chain/test_pruning.py"
        "::test_a_node_that_begins_to_prune_late_does_it_in_bounded_pieces"
    ),
    "node.chain.pruning.PIECE_TRANSACTIONS_MAX": (
        "tests/chain/test_pruning.py"
        "::test_a_piece_ends_with_the_block_that_has_too_many_transactions"
    ),
    "node.chain.receipts.RECEIPTS_SIZE_MAX": (
        "tests/chain/test_chain.py::test_receipts_of_the_largest_block_are_read_back"
    ),
    "node.chain.records.RECORDS_BYTES_MAX": (
        "tests/chain/test_caches.py::test_count_of_bytes_is_that_of_the_entries"
    ),
    "node.storage.consensus_log.APPEND_SIZE_MAX": (
        "tests/storage/test_consensus_log.py::test_misuse_is_noticed"
    ),
    "node.replica.journal.SPENT_BYTES_MAX": (
        "tests/replica/test_journal.py"
        "::test_blocks_that_are_spent_leave_the_log_and_no_word_that_was_said_does"
    ),
    "node.upkeep.backup_file.FRAME_SIZE_MAX": (
        f"{_VALUES}::test_a_frame_of_a_backup_that_claims_too_much_is_not_read"
    ),
    "node.control.server.REQUEST_BYTES_MAX": (
        "tests/control/test_control.py::test_what_is_no_request_is_refused"
    ),
    "node.control.server.PATH_LENGTH_MAX": (
        "tests/control/test_control.py::test_what_is_no_request_is_refused"
    ),
    "node.upkeep.faults.FAULTS_MAX": (
        f"{_VALUES}::test_a_check_keeps_a_bounded_number_of_faults_and_counts_the_rest"
    ),
    "node.storage.nodes.AHEAD_MAX": (
        "tests/storage/test_nodes.py::test_no_more_is_read_ahead_than_the_bound"
    ),
    "node.ledger.commitment.updating.REHEARSED_TOGETHER_MAX": (
        "tests/ledger/test_commitment.py::test_what_was_rehearsed_is_taken_only_where_it_came"
    ),
    "node.cli.calendar.check._SHOWN_MAX": (
        "tests/rpc/test_calendars.py::test_words_that_are_no_day_say_what_to_type"
    ),
    "node.rpc.quotes.PERIODS_MAX": ("tests/rpc/test_quotes.py::test_what_has_no_quote_is_refused"),
    "node.rpc.contracts.FACE_LENGTH_MAX": (
        "tests/rpc/test_contracts.py::test_face_that_nobody_can_hold_is_refused"
    ),
    "node.storage.thread.PENDING_MAX": "tests/storage/test_thread.py::test_pending_work_is_bounded",
    # Files.
    "node.config.loading.CONFIG_SIZE_MAX": _FILES,
    "node.access.apikeys.API_KEYS_MAX": _API_KEYS,
    "node.access.apikeys.FILE_SIZE_MAX": _API_KEYS,
    "node.access.apikeys.ApiKey.calls_per_s_max": (
        "tests/rpc/test_access.py"
        "::test_key_has_its_own_rate_and_does_not_use_up_that_of_its_address"
    ),
    "node.cli.tables.FILE_SIZE_MAX": "tests/cli/test_desk.py::test_table_that_is_no_plan",
    "node.cli.credentials.API_KEY_SIZE_MAX": _FILES,
    "node.cli.doctor.network.READING_MAX_S": (
        "tests/cli/test_doctor.py"
        "::test_reading_a_large_database_ends_in_time_and_says_how_far_it_came"
    ),
    "node.provision.description.DESCRIPTION_SIZE_MAX": _FILES,
    "node.genesis.located.DOCUMENT_SIZE_MAX": (
        f"{_READING}::test_document_that_is_too_long_is_refused_unread"
    ),
    "node.genesis.located.DEPTH_MAX": (
        f"{_VALUES}::test_a_document_nested_to_its_limit_is_read_and_no_deeper"
    ),
    "node.genesis.located.INTEGER_DIGITS_MAX": (
        f"{_VALUES}::test_a_number_of_as_many_digits_as_it_may_have_is_read_and_none_longer"
    ),
    "node.genesis.loading.FAULTS_MAX": (
        f"{_VALUES}::test_a_genesis_full_of_faults_reports_the_first_hundred"
    ),
    "node.keys.keystore.FILE_SIZE_MAX": _FILES,
    "node.keys.keystore.PASSPHRASE_SIZE_MAX": _FILES,
    "node.keys.certificates.CERTIFICATE_SIZE_MAX": (
        f"{_VALUES}::test_a_certificate_larger_than_any_of_ours_is_not_parsed"
    ),
    "node.cli.tx.files.SIZE_MAX": _FILES,
    "node.cli.tx.options._MEMO_MAX": (
        f"{_BIDDING}::test_an_amount_of_what_is_not_there_and_a_memo_without_end_are_told"
    ),
    "node.cli.verify.PROOF_SIZE_MAX": _FILES,
    "node.client.drafts.FILE_SIZE_MAX": _FILES,
    "node.proofs.model.ENTRIES_MAX": _RECORD,
    "node.provision.requests.FILE_SIZE_MAX": _FILES,
    "node.genesis.amendment.FILE_SIZE_MAX": _FILES,
    "node.genesis.amendment.AMENDMENTS_MAX": _RECORD,
    # A genesis.
    "node.genesis.model.BlocksSection.transactions_max": (
        f"{_CHECK}::test_block_of_more_transactions_than_the_genesis_allows_is_refused"
    ),
    "node.genesis.model.BlocksSection.size_bytes_max": (
        f"{_CHECK}::test_block_larger_than_the_genesis_allows_is_refused"
    ),
    "node.genesis.model.BlocksSection.clock_ahead_max_ms": (
        f"{_CHECK}::test_time_of_a_new_block_lies_within_the_bounds"
    ),
    "node.genesis.model.BlocksSection.clock_behind_max_ms": (
        f"{_CHECK}::test_time_of_a_new_block_lies_within_the_bounds"
    ),
    # The ledger.
    "node.ledger.acting.APPROVERS_MAX": _RECORD,
    "node.ledger.acts.registry.grant_licence.LICENCE_LIFETIME_MAX_MS": _LADDERS,
    "node.ledger.commitment.branches.PATH_SIZE_MAX": (
        "tests/ledger/test_commitment.py::test_proof_deeper_than_a_key_is_refused"
    ),
    "node.ledger.commitment.branches.BRANCH_SIZE_MAX": _RECORD,
    "node.ledger.due.MARKED_BESIDE_PAYMENTS_MAX": (
        "tests/ledger/test_taxpayers.py::test_fewer_are_marked_while_holders_are_paid"
    ),
    "node.ledger.due.MARKED_PER_BLOCK_MAX": (
        "tests/ledger/test_taxpayers.py::test_positions_are_marked_a_bounded_number_a_block"
    ),
    "node.ledger.taxpayers.AWAITED_FILINGS_MAX": (
        "tests/ledger/test_taxpayers.py::test_one_who_has_changed_often_is_waited_for"
    ),
    "node.ledger.taxpayers.AWAITED_CHANGES_MAX": (
        "tests/ledger/test_taxpayers.py::test_payment_waits_for_holders_of_its_own_security_only"
    ),
    "node.ledger.due.DUE_PER_BLOCK_MAX": (
        "tests/ledger/test_due.py::test_what_does_not_fit_into_a_block_waits_for_the_next"
    ),
    "node.ledger.due.RECORDS_AT_FIRST_MAX": (
        "tests/ledger/test_paying_blocks.py::test_records_of_one_block_are_bounded_and_nothing_moves_until_all_are_taken"
    ),
    "node.ledger.due.RECORDS_PER_BLOCK_MAX": (
        "tests/ledger/test_paying_blocks.py::test_records_of_one_block_are_bounded_and_nothing_moves_until_all_are_taken"
    ),
    "node.ledger.instruments.schedule.PAYMENTS_MAX": _NO_SCHEDULE,
    "node.ledger.instruments.schedule.PART_MAX": (
        "tests/ledger/test_instruments.py::test_interest_that_no_record_can_hold_is_refused"
    ),
    "node.ledger.securities.OPEN_PAYMENTS_MAX": (
        "tests/ledger/test_paying_blocks.py::test_record_waits_while_so_many_payments_are_unpaid"
    ),
    "node.ledger.securities.SOURCE_MAX": _RECORD,
    "node.ledger.securities.TAXPAYERS_MAX": _RECORD,
    "node.ledger.securities.WITHHOLDING_ROWS_MAX": _RECORD,
    "node.ledger.servicing.payer.HOLDERS_AT_FIRST_MAX": (
        "tests/ledger/test_paying_blocks.py"
        "::test_payments_that_begin_in_a_block_pay_few_holders_together_in_it"
    ),
    "node.ledger.servicing.payer.HOLDERS_PER_BLOCK_MAX": (
        "tests/ledger/test_paying_blocks.py::test_holders_are_paid_a_bounded_number_a_block"
    ),
    "node.ledger.terms.GRACE_DAYS_MAX": _RECORD,
    "node.ledger.terms.INSTALMENTS_MAX": _RECORD,
    "node.ledger.terms.LIFE_DAYS_MAX": (
        "tests/ledger/test_instruments.py::test_terms_that_contradict_themselves_are_refused"
    ),
    "node.ledger.terms.MATURITY_DAY_MAX": (
        "tests/ledger/test_instruments.py::test_terms_that_contradict_themselves_are_refused"
    ),
    "node.ledger.terms.POOL_MAX": _RECORD,
    "node.ledger.terms.POOL_NAME_MAX": _RECORD,
    "node.ledger.terms.RATE_STEPS_MAX": _RECORD,
    "node.ledger.terms.RECORD_DAYS_MAX": _RECORD,
    "node.rpc.securities.TERMS_SIZE_MAX": (
        "tests/rpc/test_securities.py::test_what_has_no_schedule_is_said"
    ),
    "node.ledger.operations.OPERATIONS_MAX": _RECORD,
    "node.ledger.acts.governance.propose.OPERATIONS_MAX": (
        "tests/ledger/test_governance.py::test_proposal_holds_as_many_operations_as_a_transaction"
    ),
    "node.ledger.parameters.Parameters.accounts_max_no_objection": _LADDERS,
    "node.ledger.parameters.Parameters.accounts_max_provisional": _LADDERS,
    "node.ledger.parameters.Parameters.accounts_max_full": _LADDERS,
    "node.ledger.parameters.Parameters.hold_lifetime_max_ms": _LADDERS,
    "node.ledger.parameters.Parameters.proposal_lifetime_max_ms": _LADDERS,
    "node.ledger.parameters.Parameters.proposals_open_max": _LADDERS,
    "node.ledger.policies.SIGNERS_MAX": _RECORD,
    "node.ledger.policies.WEIGHT_MAX": _RECORD,
    "node.ledger.policies.SALT_SIZE_MAX": _RECORD,
    "node.ledger.powers.OFFICES_MAX": _RECORD,
    "node.ledger.tables.TEXT_MAX": _RECORD,
    "node.ledger.tables.TLS_CERTIFICATE_SIZE_MAX": _RECORD,
    "node.ledger.tables.PROPOSAL_SIZE_MAX": _RECORD,
    "node.ledger.tables.VALIDATORS_MAX": _LADDERS,
    "node.ledger.transactions.TRANSACTION_SIZE_MAX": (
        "tests/ledger/test_transactions.py::test_size_is_looked_at_first"
    ),
    "node.ledger.transactions.MEMO_MAX": _RECORD,
    "node.ledger.tables.HOLDS_PER_ACCOUNT_MAX": (
        "tests/ledger/test_protocol.py::test_account_has_as_many_holds_as_there_may_be_and_no_more"
    ),
    "node.ledger.tables.VERSION_MAX": _RECORD,
    "node.ledger.protocol.UPGRADE_AHEAD_MAX": _LADDERS,
    "node.ledger.units.AMOUNT_MAX": _LADDERS,
    "node.ledger.units.DECIMALS_MAX": _RECORD,
    "node.ledger.terms.FACE_UNIT_MAX": _RECORD,
    "node.ledger.units.TIME_MS_MAX": _RECORD,
    "node.ledger.units.DAY_MAX": _RECORD,
    "node.ledger.phrases.vocabulary.WRITTEN_MAX": (
        "tests/ledger/test_phrases.py::test_what_no_phrase_made_is_not_recognised"
    ),
    "node.ledger.explaining.SHOWN_MAX": (
        "tests/ledger/test_outcomes.py::test_sentence_is_one_printable_line_whatever_was_found"
    ),
    # The pool and the way into it.
    "node.mempool.COUNT_MAX": f"{_POOL}::test_full_by_count_says_when_to_come_again",
    "node.mempool.SIZE_BYTES_MAX": f"{_POOL}::test_full_by_size_says_so_too",
    "node.mempool.RETRY_AFTER_MAX_MS": f"{_POOL}::test_full_by_count_says_when_to_come_again",
    "node.intake.crowding.LATE_MS_MAX": (
        "tests/app/test_crowding.py::test_the_high_mark_rises_while_a_block_is_overdue"
        "_and_falls_as_what_piled_up_is_taken"
    ),
    "node.intake.intake.LET_GO_MAX": (
        f"{_INTAKE}::test_what_the_pool_let_go_is_forgotten_also_where_no_block_comes"
    ),
    "node.intake.intake.PUSHED_AGAIN_MAX": (
        f"{_INTAKE}::test_what_waits_behind_many_is_pushed_again_only_once_later_ones_are_in_a_block"
    ),
    "node.intake.verifier.CHUNK_MAX": (f"{_INTAKE}::test_one_chunk_is_one_job_whoever_brings_it"),
    "node.intake.verifier.TURN_MAX": (
        f"{_INTAKE}::test_the_signatures_of_a_job_take_as_many_turns_as_they_are_long"
    ),
    "node.intake.verifier.CHUNK_BYTES_MAX": (
        f"{_INTAKE}::test_large_transactions_are_looked_at_one_a_turn"
    ),
    "node.intake.verifier.PUSHED_BYTES_MAX": (
        f"{_INTAKE}::test_a_flood_of_pushes_is_dropped_beyond_a_bound_and_blocks_nobody"
    ),
    "node.intake.verifier.CLIENTS_MAX": (
        f"{_INTAKE}::test_more_clients_than_can_be_served_are_told_when_to_come_back"
    ),
    "node.intake.verifier.GIVE_WAY_MAX": (
        f"{_INTAKE}::test_transactions_give_way_to_consensus_but_not_for_ever"
    ),
    "node.app.collector.YOUNG_MAX": (
        "tests/app/test_collector.py::test_cycles_are_freed_after_a_bounded_number_of_objects"
        "_and_the_program_is_left_alone"
    ),
    "node.signatures.helper.JOBS_MAX": (
        "tests/signatures/test_helper.py"
        "::test_few_signatures_and_more_jobs_than_it_may_have_are_for_the_loop"
    ),
    "node.intake.waiters.WAITERS_MAX": (
        f"{_INTAKE}::test_waiters_are_bounded_and_leave_nothing_behind"
    ),
    # Peers.
    "node.network.messages.FRAME_SIZE_MAX": (
        f"{_SOCKET}::test_a_frame_that_announces_too_much_is_refused_by_its_header"
    ),
    "node.network.messages.BATCH_TRANSACTIONS_MAX": _MESSAGE,
    "node.network.messages.BLOCKS_MAX": _MESSAGE,
    "node.network.messages.HEADER_SIZE_MAX": _MESSAGE,
    "node.network.messages.WireLimits.block_size_max": (
        f"{_WIRE}::test_a_genesis_with_small_blocks_makes_large_proposals_too_large"
    ),
    "node.network.messages.WireLimits.block_transactions_max": (
        f"{_WIRE}::test_a_genesis_with_small_blocks_makes_large_proposals_too_large"
    ),
    "node.network.messages._Form.size_max": (
        f"{_WIRE}::test_a_frame_larger_than_its_kind_is_refused_unparsed"
    ),
    "node.network.settings.LaneLimits.count_max": (
        f"{_SPEAKING}::test_a_full_transactions_lane_drops_the_oldest_batches_and_counts_them"
    ),
    "node.network.settings.LaneLimits.size_max": (
        f"{_SPEAKING}::test_a_full_sync_lane_refuses_and_says_so"
    ),
    "node.network.settings.NetworkSettings.penalty_max": (
        f"{_MISCONDUCT}::test_a_peer_that_breaks_the_protocol_is_put_out_for_a_while_and_may_come_back"
    ),
    "node.network.settings.NetworkSettings.handshakes_max": (
        f"{_HANDSHAKES}::test_a_flood_takes_a_bounded_number_of_places_and_leaves_room_for_others"
    ),
    "node.network.settings.NetworkSettings.handshakes_per_host_max": (
        f"{_HANDSHAKES}::test_a_flood_takes_a_bounded_number_of_places_and_leaves_room_for_others"
    ),
    "node.network.settings.NetworkSettings.links_per_key_max": (
        f"{_MEETING}::test_one_key_has_a_bounded_number_of_links_and_one_of_them_counts"
    ),
    "node.network.arrivals.SOURCES_MAX": (
        "tests/network/test_arrivals.py::test_remembered_places_are_bounded"
    ),
    "node.network.messages.SNAPSHOTS_MAX": _MESSAGE,
    # Snapshots.
    "node.snapshots.parts.CHUNK_RECORDS_MAX": (
        "tests/snapshots/test_assembly.py"
        "::test_records_under_one_path_make_no_chunk_larger_than_the_limit"
    ),
    "node.snapshots.parts.CHUNK_BYTES_MAX": (
        "tests/snapshots/test_assembly.py::test_chunk_of_large_records_is_bounded_by_its_bytes"
    ),
    "node.snapshots.parts.CHUNK_SIZE_MAX": _MESSAGE,
    "node.snapshots.parts.STATE_KEY_MAX": _RECORD,
    "node.snapshots.parts.STATE_VALUE_MAX": _RECORD,
    "node.snapshots.parts.HANDOVER_SIZE_MAX": _MESSAGE,
    "node.snapshots.parts.BLOCK_IDS_SIZE_MAX": _MESSAGE,
    "node.snapshots.parts.PAGE_ITEMS_MAX": _MESSAGE,
    "node.snapshots.parts.POINT_SIZE_MAX": _MESSAGE,
    "node.snapshots.assembly.SPLITS_MAX": (
        "tests/snapshots/test_assembly.py::test_branches_above_the_chunks_are_bounded"
    ),
    "node.snapshots.pins.PINS_MAX": (f"{_VALUES}::test_only_the_newest_snapshots_are_kept_pinned"),
    # The replica.
    "node.replica.pace.GATHER_FACTOR_MAX": (
        "tests/replica/test_pace.py::test_it_is_gathered_eight_times_as_long_at_most"
    ),
    "node.replica.pace.GATHERED_MAX": (
        "tests/replica/test_pace.py"
        "::test_no_more_is_gathered_than_what_shares_the_cost_of_a_block_well"
    ),
    "node.replica.pace.GATHER_SHARE_MAX": (
        "tests/replica/test_pace.py::test_a_proposal_is_not_put_off_until_it_is_given_up"
    ),
    "node.replica.join.ROUNDS_BELIEVED_MAX": (
        "tests/replica/test_join.py::test_a_round_that_nobody_can_have_reached_is_not_believed"
    ),
    "node.replica.returning.CALLED_AHEAD_MAX": (
        f"{_VALUES}::test_a_validator_that_says_it_forgot_draws_nobody_far_and_not_often"
    ),
    "node.replica.returning.CALLS_MAX": (
        f"{_VALUES}::test_a_validator_that_says_it_forgot_draws_nobody_far_and_not_often"
    ),
    "node.replica.bodies.BODIES_MAX": (
        "tests/replica/test_obtaining.py::test_bodies_are_bounded_and_those_voted_for_stay"
    ),
    "node.replica.entries.ENTRY_SIZE_MAX": (
        f"{_VALUES}::test_a_log_entry_larger_than_any_block_is_not_parsed"
    ),
    "node.replica.gate.KNOWN_MAX": (
        "tests/replica/test_gate.py::test_what_is_remembered_is_bounded_and_ends_with_the_height"
    ),
    "node.replica.gate.PER_PLACE_MAX": (
        "tests/replica/test_gate.py"
        "::test_two_votes_for_one_place_pass_as_evidence_and_a_third_adds_nothing"
    ),
    "node.replica.guard._PLACES_MAX": (
        "tests/replica/test_guard.py"
        "::test_a_guard_keeps_a_bounded_number_of_seals_and_signs_on_however_long_a_height_lasts"
    ),
    "node.replica.early.HELD_MAX": (
        f"{_LIES}::test_votes_for_a_thousand_rounds_and_heights_move_nobody_and_stay_bounded"
    ),
    "node.replica.parts.ReplicaLimits.queue_max": (
        "tests/replica/test_inbox.py"
        "::test_a_peer_waits_while_the_queue_is_full_and_own_events_do_not"
    ),
    "node.sync.sync.SyncLimits.fetches_max": (
        f"{_PLAN}::test_each_free_peer_gets_the_lowest_range_that_nobody_has_been_asked_for"
    ),
    "node.sync.sync.SyncLimits.range_blocks_max": (
        f"{_PLAN}::test_a_claim_of_any_height_costs_no_more_than_the_window"
    ),
    "node.sync.sync.SyncLimits.buffer_bytes_max": (
        f"{_PLAN}::test_nothing_above_the_window_is_asked_for"
    ),
    "node.sync.sync.RUN_BLOCKS_MAX": (
        "tests/sync/test_runs.py"
        "::test_a_run_is_bounded_and_the_next_blocks_are_under_way_while_it_is_applied"
    ),
    # Clients of a node.
    "node.rpc.jsonrpc.BATCH_MAX": (
        f"{_JSON}::test_batch_longer_than_the_limit_gets_one_error_and_nothing_is_carried_out"
    ),
    "node.rpc.jsonrpc.ANSWER_BYTES_MAX": (
        f"{_JSON}::test_batch_is_answered_as_far_as_there_is_room"
    ),
    "node.rpc.jsonrpc.VALUES_MAX": (
        f"{_JSON}::test_body_of_more_values_than_anybody_needs_is_refused"
    ),
    "node.rpc.jsonrpc.ID_LENGTH_MAX": (
        f"{_JSON}::test_id_that_might_not_come_back_the_same_is_refused"
    ),
    "node.rpc.jsonrpc.ID_INTEGER_MAX": (
        f"{_JSON}::test_id_that_might_not_come_back_the_same_is_refused"
    ),
    "node.rpc.jsonrpc.INTEGER_DIGITS_MAX": (
        f"{_JSON}::test_ambiguous_or_broken_json_is_a_parse_error"
    ),
    "node.rpc.doorstep.HEAD_MAX_BYTES": (
        "tests/rpc/test_doorstep.py::test_no_head_that_says_more_is_looked_at"
    ),
    "node.rpc.limits.ADDRESSES_MAX": (
        "tests/rpc/test_limits.py::test_callers_remembered_are_bounded"
    ),
    "node.rpc.limits.RpcLimits.body_max_bytes": (
        f"{_RPC}::test_body_that_grows_past_the_limit_without_saying_so_is_refused"
    ),
    "node.rpc.limits.RpcLimits.answer_max_bytes": (
        f"{_JSON}::test_answer_that_is_too_large_is_refused_with_how_large_one_is"
    ),
    "node.rpc.limits.RpcLimits.answers_max_bytes": (
        "tests/rpc/test_bodies.py"
        "::test_answer_that_nobody_reads_is_given_up_where_another_needs_its_room"
    ),
    "node.rpc.limits.RpcLimits.answers_per_caller_max_bytes": (
        "tests/rpc/test_bodies.py::test_answers_that_nobody_reads_are_bounded_for_each_caller"
    ),
    "node.rpc.limits.RpcLimits.bodies_max_bytes": (
        "tests/rpc/test_bodies.py::test_slowest_is_given_up_once_it_had_its_time"
    ),
    "node.rpc.limits.RpcLimits.bodies_per_caller_max_bytes": (
        "tests/rpc/test_bodies.py::test_caller_has_a_share_and_is_told_when_to_come_back"
    ),
    "node.rpc.limits.RpcLimits.batch_max": (
        f"{_JSON}::test_batch_longer_than_the_limit_gets_one_error_and_nothing_is_carried_out"
    ),
    "node.rpc.limits.RpcLimits.submission_max_bytes": (
        f"{_SUBMIT}::test_list_of_too_many_bytes_is_refused"
    ),
    "node.rpc.limits.RpcLimits.submission_max": (
        f"{_SUBMIT}::test_list_longer_than_the_limit_is_refused_whole"
    ),
    "node.rpc.limits.RpcLimits.submissions_at_once_max": (
        f"{_SUBMIT}::test_lists_that_are_worked_on_at_one_time_are_bounded"
    ),
    "node.rpc.limits.RpcLimits.submissions_max_bytes": (
        f"{_SUBMIT}::test_large_lists_under_way_are_bounded_by_what_has_come"
    ),
    "node.rpc.limits.RpcLimits.wait_max_ms": (
        f"{_SUBMIT}::test_node_does_not_wait_longer_than_it_allows"
    ),
    "node.rpc.limits.RpcLimits.connections_max": f"{_RPC}::test_connections_are_bounded_in_all",
    "node.rpc.limits.RpcLimits.connections_per_address_max": (
        f"{_RPC}::test_connections_of_one_address_are_bounded"
    ),
    "node.rpc.limits.RpcLimits.subscribers_max": (
        f"{_STREAM}::test_sockets_are_bounded_and_room_comes_back"
    ),
    "node.rpc.limits.RpcLimits.subscribers_per_address_max": (
        f"{_STREAM}::test_sockets_are_bounded_and_room_comes_back"
    ),
    "node.rpc.limits.RpcLimits.subscriptions_max": (
        f"{_STREAM}::test_subscriptions_of_one_socket_are_bounded"
    ),
    "node.rpc.limits.RpcLimits.socket_calls_max": (
        f"{_STREAM}::test_calls_under_way_on_one_socket_are_bounded_and_all_are_answered"
    ),
    "node.rpc.limits.RpcLimits.cursor_ahead_max": (
        f"{_STREAM}::test_start_that_is_no_cursor_of_this_chain_is_refused"
    ),
    "node.rpc.limits.RpcLimits.stream_blocks_max": (
        "tests/rpc/test_stream.py"
        "::test_blocks_at_the_head_are_read_once_and_replay_does_not_push_them_out"
    ),
    "node.rpc.limits.RpcLimits.stream_items_max": (
        "tests/rpc/test_stream.py::test_kept_items_are_bounded"
    ),
    # The debt desk, the index, what is quoted and drawn.
    "node.quotes.RATE_MAX": "tests/cli/test_quote.py::test_nonsense_is_refused",
    "node.quotes.YEARS_MAX": ("tests/cli/test_quote.py::test_floater_of_nonsense_is_refused"),
    "node.ledger.pricing.floaters._MARGIN_MAX": (
        "tests/cli/test_quote.py::test_floater_of_nonsense_is_refused"
    ),
    "node.ledger.auctions.plans.PLANNED_MAX": _RECORD,
    "node.ledger.auctions.plans.TENOR_MONTHS_MAX": _RECORD,
    "node.ledger.auctions.plans.VERSION_MAX": _RECORD,
    "node.ledger.auctions.plans.SPAN_DAYS_MAX": (
        "tests/ledger/test_ladders.py::test_operation_is_refused_for_its_fault"
    ),
    "node.ledger.auctions.plans.SETTLING_DAYS_MAX": (
        "tests/ledger/test_ladders.py::test_operation_is_refused_for_its_fault"
    ),
    "node.rpc.auction_results.PLANS_MAX": (
        "tests/cli/test_primary_auction.py::test_one_answer_holds_a_bounded_number_of_plans"
    ),
    "node.quotes.ACCRUED_MAX": ("tests/cli/test_quote.py::test_switch_of_nonsense_is_refused"),
    "node.ledger.terms.FIXING_DAYS_MAX": _RECORD,
    "node.ledger.terms.STALE_DAYS_MAX": _RECORD,
    "node.ledger.terms.NOTICE_DAYS_MAX": _RECORD,
    "node.ledger.terms.PRICE_E4_MAX": _RECORD,
    "node.ledger.terms.WINDOWS_MAX": _RECORD,
    "node.ledger.securities.CALLS_MAX": _RECORD,
    "node.ledger.securities.COUPON_STRIPS_MAX": (
        "tests/ledger/test_stripping.py::test_longest_line_fits_an_operation_and_a_receipt"
    ),
    "node.ledger.acting.WORK_PER_BLOCK_MAX": (
        "tests/ledger/test_crowds.py::test_block_does_so_much_dear_work_and_no_more"
    ),
    "node.ledger.stripping.moving.STRIPS_PER_BLOCK_MAX": (
        "tests/ledger/test_stripping.py::test_block_moves_so_many_strips_and_no_more"
    ),
    "node.ledger.stripping.registering.SERIES_MAX": (
        "tests/ledger/test_strippable.py::test_codes_of_strips_are_codes"
    ),
    "node.rpc.debt.PAYMENTS_COMPUTED_MAX": (
        "tests/rpc/test_debt.py::test_pages_end_by_their_limit_and_by_the_work_they_are"
    ),
    "node.rpc.recomputing.PIECES_RECOMPUTED_MAX": (
        f"{_SECURITIES}::test_a_ladder_that_is_too_long_is_not_worked_out"
    ),
    "node.rpc.tenures.SETS_READ_MAX": _TENURES,
    "node.rpc.tenures.TENURES_MAX": _TENURES,
    "node.explorer.limits.PLAN_CALLS_MAX": (
        "tests/explorer/test_securities.py::test_plans_are_looked_through_up_to_a_bound"
    ),
    "node.explorer.limits.DEBT_CALLS_MAX": (
        f"{_SECURITIES}::test_a_page_looks_no_further_than_its_bound"
    ),
    "node.explorer.limits.AUCTIONS_SHOWN_MAX": f"{_SECURITIES}::{_LONGEST}",
    "node.explorer.limits.BARS_MAX": f"{_SECURITIES}::{_LONGEST}",
    "node.explorer.limits.PAYMENTS_SHOWN_MAX": f"{_SECURITIES}::{_LONGEST}",
    "node.explorer.limits.POINTS_MAX": f"{_SECURITIES}::{_LONGEST}",
    "node.explorer.limits.PRICES_AVERAGED_MAX": (
        f"{_SECURITIES}::test_what_was_sold_of_a_bond_has_the_yield_that_the_command_prints"
    ),
    "node.explorer.limits.AVERAGES_KEPT_MAX": (
        f"{_SECURITIES}::test_yields_of_bonds_that_are_remembered_are_bounded"
    ),
    "node.explorer.limits.STEPS_MAX": (
        f"{_SECURITIES}::test_a_ladder_that_is_too_long_is_not_worked_out"
    ),
    "node.rpc.indexed.DAYS_MAX": _INDEXED,
    "node.rpc.indexed.TEXT_MAX": _INDEXED,
    "node.index.follower.BLOCKS_WAITING_MAX": (
        "tests/index/test_index.py::test_a_database_that_is_away_delays_no_block_and_is_made_up_for"
    ),
    "node.index.runs.GATHERED_MAX": (
        "tests/index/test_runs.py::test_a_piece_is_no_longer_than_what_is_buffered"
    ),
    "node.index.runs.RUNS_MAX": (
        "tests/index/test_runs.py::test_files_are_few_have_no_name_and_are_let_go"
    ),
    "node.index.recent.BUCKET_ROWS_MAX": (
        "tests/index/test_recent.py::test_the_fullest_bucket_goes_where_more_wait_than_may"
    ),
    "node.index.recent.RECENT_MAX": (
        "tests/index/test_recent.py::test_the_fullest_bucket_goes_where_more_wait_than_may"
    ),
    "node.index.postgres.ATTEMPTS_MAX": (
        "tests/index/test_postgres.py"
        "::test_one_that_is_never_serializable_changes_nothing_and_says_so"
    ),
    "node.index.starts.LOOKED_UP_MAX": _SEVERAL_WORDS,
    "node.index.starts.READ_FOR_EACH_MAX": _SEVERAL_WORDS,
    "node.index.starts.WALKED_MAX": _SEVERAL_WORDS,
    "node.index.turns.QUESTIONS_MAX": (
        "tests/index/test_threads.py::test_no_more_questions_wait_than_may"
    ),
    "node.rpc.limits.OWED_S_MAX": (
        "tests/rpc/test_limits.py::test_a_debt_shuts_nobody_out_for_longer_than_some_seconds"
    ),
    "node.stream.answers.ANSWER_SIZE_MAX": (
        f"{_PUBLISHED}::test_answers_and_their_words_are_bounded"
    ),
    "node.stream.answers.REASON_MAX": f"{_PUBLISHED}::test_answers_and_their_words_are_bounded",
    "node.stream.credentials.CREDENTIALS_SIZE_MAX": (
        "tests/stream/test_credentials.py"
        "::test_file_that_is_not_there_not_text_or_too_long_is_named"
    ),
    "node.stream.course.IN_FLIGHT_MAX": f"{_PUBLISHED}::test_a_course_sends_no_more_than_it_may",
    "node.stream.course.IN_FLIGHT_BYTES_MAX": (
        f"{_PUBLISHED}::test_a_message_that_is_larger_than_all_may_be_goes_alone"
    ),
    "node.provision.containers.OBSERVERS_MAX": _CONTAINERS,
    "node.provision.containers.VALIDATORS_MAX": _CONTAINERS,
    # The pages.
    "node.explorer.limits.HISTORY_SHOWN_MAX": (
        f"{_PAGES}::test_an_account_with_the_longest_holds_is_a_small_page"
    ),
    "node.explorer.limits.PAGE_BYTES_MAX": (
        f"{_PAGES}::test_a_transaction_of_the_longest_operations_is_a_small_page"
    ),
    "node.explorer.limits.ROWS_MAX": f"{_SECURITIES}::{_LONGEST}",
    "node.explorer.limits.ACCOUNT_ROWS_MAX": (
        f"{_PAGES}::test_an_account_with_the_longest_holds_is_a_small_page"
    ),
    "node.explorer.limits.PROPOSED_SHOWN_MAX": (
        f"{_PAGES}::test_what_an_operation_proposes_is_shown_up_to_a_bound"
    ),
    "node.explorer.limits.PROPOSALS_SHOWN_MAX": (
        f"{_PAGES}::test_a_proposal_of_the_longest_operations_is_a_small_page"
    ),
    "node.explorer.limits.PROPOSAL_PAST_SHOWN_MAX": (
        f"{_PAGES}::test_a_proposal_of_the_longest_operations_is_a_small_page"
    ),
    "node.explorer.limits.TRANSACTIONS_SHOWN_MAX": (
        f"{_PAGES}::test_a_block_of_the_longest_transactions_is_a_small_page"
    ),
    "node.explorer.limits.OPERATIONS_SHOWN_MAX": (
        f"{_PAGES}::test_a_transaction_of_the_longest_operations_is_a_small_page"
    ),
    "node.explorer.limits.EVENTS_SHOWN_MAX": (
        f"{_PAGES}::test_a_transaction_of_the_longest_operations_is_a_small_page"
    ),
    "node.explorer.limits.TEXT_SHOWN_MAX": (
        f"{_PAGES}::test_values_are_cut_and_what_steers_is_shown"
    ),
    "node.explorer.limits.NESTED_SHOWN_MAX": (
        f"{_PAGES}::test_values_are_cut_and_what_steers_is_shown"
    ),
    "node.explorer.limits.FIELDS_BYTES_MAX": (
        f"{_PAGES}::test_an_operation_of_many_long_fields_is_shown_in_part"
    ),
    "node.explorer.limits.FIELDS_SHOWN_MAX": (
        f"{_PAGES}::test_values_are_cut_and_what_steers_is_shown"
    ),
    "node.explorer.limits.BLOCKS_READ_BYTES_MAX": (
        f"{_PAGES}::test_a_list_of_large_blocks_ends_early"
    ),
    "node.explorer.limits.BLOCKS_READ_MS_MAX": (
        f"{_PAGES}::test_a_list_of_large_blocks_ends_early"
    ),
    "node.explorer.limits.MATCHES_MAX": (
        f"{_PAGES}::test_search_for_a_part_that_many_have_says_that_there_are_more"
    ),
    "node.explorer.promises.LISTED_MAX": (
        "tests/explorer/test_catalogues.py::test_long_lists_in_terms_are_told_in_part"
    ),
    "node.explorer.limits.RATES_TOLD_MAX": (
        "tests/explorer/test_catalogues.py::test_what_is_withheld_is_told_with_its_first_rates"
    ),
    "node.explorer.limits.WRITTEN_SHOWN_MAX": (
        f"{_PAGES}::test_fields_that_have_a_word_are_shown_up_to_a_bound"
    ),
    "node.explorer.limits.TRAIL_MAX": (
        "tests/explorer/test_lists.py::test_a_way_back_that_is_too_long_for_a_link_ends_earlier"
    ),
    "node.explorer.limits.QUERY_MAX": f"{_PAGES}::test_a_query_is_read_up_to_a_bound",
    "node.explorer.limits.MINUTES_MAX": f"{_HOUR}::test_an_hour_is_kept_and_no_more",
    "node.rpc.evidence.KEPT_MAX": (
        "tests/rpc/test_evidence.py::test_all_are_gone_through_once_and_the_latest_kept"
    ),
    "node.cli.top.drawing.NAME_WIDTH_MAX": (
        "tests/cli/test_top.py::test_picture_fits_into_eighty_columns_whatever_is_told"
    ),
    "node.provision.holders.COMMAND_CHARACTERS_MAX": (
        "tests/provision/test_ports.py::test_what_a_process_calls_itself_is_cut_and_plain"
    ),
    "node.explorer.limits.FOUNDED_SHOWN_MAX": (
        "tests/explorer/test_past.py::test_accounts_of_the_genesis_are_shown_up_to_a_bound"
    ),
    "node.explorer.limits.FOUNDING_READ_MAX": (
        "tests/explorer/test_past.py::test_accounts_of_the_genesis_are_shown_up_to_a_bound"
    ),
    "node.explorer.limits.RECENT_BLOCKS_MAX": f"{_HOUR}::test_blocks_remembered_are_bounded",
    "node.explorer.limits.ROUNDS_COUNTED_MAX": (
        f"{_HOUR}::test_rounds_of_one_height_are_counted_up_to_a_bound"
    ),
    "node.explorer.limits.LISTENERS_MAX": f"{_LIVE}::test_listeners_are_bounded_in_all",
    "node.explorer.limits.LISTENERS_PER_ADDRESS_MAX": (
        f"{_LIVE}::test_listeners_of_one_address_are_bounded"
    ),
    "node.rpc.subscriptions.FILTER_MAX": (
        f"{_VALUES}::test_a_filter_names_as_many_accounts_as_it_may_and_no_more"
    ),
    "node.rpc.stream.PORTIONS_KEPT_MAX": (
        "tests/rpc/test_stream.py::test_what_is_kept_of_a_block_for_many_is_bounded"
    ),
    "node.rpc.sockets.AT_ONCE_MAX": (
        f"{_STREAM}::test_calls_that_came_together_are_answered_a_few_in_a_turn"
    ),
    "node.rpc.stream.HEIGHT_MAX": "tests/rpc/test_stream.py::test_other_text_is_no_cursor",
    # Our client, of a hostile node.
    "node.client.bulk.LIST_MAX": f"{_VALUES}::test_a_client_hands_in_lists_of_bounded_length",
    "node.client.bulk.LIST_BYTES_MAX": f"{_VALUES}::test_a_client_hands_in_lists_of_bounded_length",
    "node.client.reading.PAGES_MAX": f"{_CLIENTS}::test_a_list_that_does_not_end_is_given_up",
    "node.client.errors.RETRY_AFTER_MS_MAX": (
        "tests/client/test_client.py::test_no_node_says_for_how_long_its_client_sleeps"
    ),
    "node.client.subscriptions.MESSAGE_SIZE_MAX": (
        f"{_CLIENTS}::test_a_notification_that_is_too_large_ends_the_connection_and_another_is_made"
    ),
    "node.client.transport.ANSWER_SIZE_MAX": (
        f"{_CLIENTS}::test_an_answer_that_does_not_end_is_left_at_its_limit"
    ),
    "node.client.transport.CONNECTIONS_MAX": (
        f"{_CLIENTS}::test_a_client_opens_a_bounded_number_of_connections"
    ),
    # The page of a development network.
    "node.cli.devnet.desk.FAUCET_PER_MINUTE_MAX": _DESK_RUN,
    "node.cli.devnet.desk.FAUCET_RUPEES_MAX": _DESK_RUN,
    "node.cli.devnet.desk.TRAVEL_DAYS_MAX": _DESK_RUN,
    "node.explorer.limits.RUNS_KEPT_MAX": _DESK_RUN,
    "node.explorer.limits.DESK_BODY_BYTES_MAX": _DESK_FORM,
    "node.explorer.limits.DESK_FIELDS_MAX": _DESK_FORM,
    "node.explorer.limits.DESK_TRANSACTIONS_SHOWN_MAX": _DESK_PAGE,
    "node.explorer.limits.RUN_LINES_MAX": _DESK_PAGE,
    "node.explorer.limits.RUN_LINE_CHARACTERS_MAX": _DESK_PAGE,
    "node.explorer.limits.RUN_CHECKS_MAX": _DESK_PAGE,
    "node.explorer.limits.RUN_TRANSACTIONS_MAX": _DESK_PAGE,
}

CARRIES: Final[Mapping[str, str]] = {
    "node.config.sections.NetworkConfig.lane_bytes_max": (
        "node.network.settings.LaneLimits.size_max"
    ),
    "node.config.sections.NetworkConfig.handshakes_max": (
        "node.network.settings.NetworkSettings.handshakes_max"
    ),
    "node.config.sections.RpcConfig.body_bytes_max": "node.rpc.limits.RpcLimits.body_max_bytes",
    "node.config.sections.RpcConfig.batch_max": "node.rpc.limits.RpcLimits.batch_max",
    "node.config.sections.RpcConfig.submission_bytes_max": (
        "node.rpc.limits.RpcLimits.submission_max_bytes"
    ),
    "node.config.sections.RpcConfig.submission_max": "node.rpc.limits.RpcLimits.submission_max",
    "node.config.sections.RpcConfig.connections_max": "node.rpc.limits.RpcLimits.connections_max",
    "node.config.sections.RpcConfig.connections_per_address_max": (
        "node.rpc.limits.RpcLimits.connections_per_address_max"
    ),
    "node.config.sections.RpcConfig.subscribers_max": "node.rpc.limits.RpcLimits.subscribers_max",
    "node.config.sections.RpcConfig.wait_ms_max": "node.rpc.limits.RpcLimits.wait_max_ms",
    "node.config.sections.RpcConfig.waiters_max": "node.intake.waiters.WAITERS_MAX",
    "node.config.sections.MempoolConfig.transactions_max": "node.mempool.COUNT_MAX",
    "node.config.sections.MempoolConfig.bytes_max": "node.mempool.SIZE_BYTES_MAX",
    "node.config.sections.SyncConfig.fetches_max": "node.sync.sync.SyncLimits.fetches_max",
    "node.config.sections.SyncConfig.range_blocks_max": (
        "node.sync.sync.SyncLimits.range_blocks_max"
    ),
    "node.config.sections.SyncConfig.buffer_bytes_max": (
        "node.sync.sync.SyncLimits.buffer_bytes_max"
    ),
    "node.config.sections.ReplicaConfig.queue_max": "node.replica.parts.ReplicaLimits.queue_max",
    "node.genesis.model.ConsensusSection.timeout_max_ms": (
        "consensus.params.ConsensusParams.timeout_max_ms"
    ),
    "node.genesis.model.ConsensusSection.rounds_kept_max": (
        "consensus.params.ConsensusParams.rounds_kept_max"
    ),
    "node.genesis.model.ConsensusSection.rounds_ahead_max": (
        "consensus.params.ConsensusParams.rounds_ahead_max"
    ),
    "node.genesis.model.ConsensusSection.early_messages_max": (
        "consensus.params.ConsensusParams.early_messages_max"
    ),
    "node.provision.description.Consensus.timeout_max_ms": (
        "consensus.params.ConsensusParams.timeout_max_ms"
    ),
    "node.provision.description.Consensus.rounds_kept_max": (
        "consensus.params.ConsensusParams.rounds_kept_max"
    ),
    "node.provision.description.Consensus.rounds_ahead_max": (
        "consensus.params.ConsensusParams.rounds_ahead_max"
    ),
    "node.provision.description.Consensus.early_messages_max": (
        "consensus.params.ConsensusParams.early_messages_max"
    ),
    "node.provision.description.Blocks.transactions_max": (
        "node.genesis.model.BlocksSection.transactions_max"
    ),
    "node.provision.description.Blocks.size_bytes_max": (
        "node.genesis.model.BlocksSection.size_bytes_max"
    ),
    "node.provision.description.Blocks.clock_ahead_max_ms": (
        "node.genesis.model.BlocksSection.clock_ahead_max_ms"
    ),
    "node.provision.description.Blocks.clock_behind_max_ms": (
        "node.genesis.model.BlocksSection.clock_behind_max_ms"
    ),
    "node.rpc.node_results.MempoolView.transactions_max": "node.mempool.COUNT_MAX",
    "node.client.reads.network.Mempool.transactions_max": "node.mempool.COUNT_MAX",
    "node.cli.top.polling.Pool.transactions_max": "node.mempool.COUNT_MAX",
    "node.control.server.Outlook.clock_ahead_max_ms": (
        "node.genesis.model.BlocksSection.clock_ahead_max_ms"
    ),
    "node.control.server.Outlook.clock_behind_max_ms": (
        "node.genesis.model.BlocksSection.clock_behind_max_ms"
    ),
    "node.index.answers.DAYS_MAX": "node.rpc.indexed.DAYS_MAX",
    "node.network.messages._INTEGER_MAX": "node.blocks.records.INTEGER_MAX",
}

_PAUSE: Final = "how long a pause grows; nothing is held meanwhile"
_RATE: Final = "a rate, which a token bucket applies: its burst is what is held"
_ASKED: Final = "how much we ask for ourselves, within what the other end allows"
_SHOWN: Final = "how much is shown on a screen"
_OWN: Final = "how many of our own we make, in tools for development"

NO_LIMITS: Final[Mapping[str, str]] = {
    "node.cli.devnet.desk.RUN_S_MAX": "from when on a development page gives up what hangs",
    "node.explorer.charts._COLUMN_MAX": "how wide a column is drawn",
    "node.explorer.limits.DESK_BLOCKS_READ_MAX": (
        "of our own travel, which is bounded by days: where one reads no further back"
    ),
    "node.ledger.tables.BUSINESS_DAYS_MAX": "asserted of what the ledger's own acts appoint",
    "node.ledger.tables.SUBJECT_MAX": "asserted of what the ledger's own acts appoint",
    "node.provision.travelling.TRIES_MAX": "how often a command asks before it gives up",
    "node.cli.calendar.check._BUSINESS_DAYS_MAX": _ASKED,
    "node.amounts.DECIMALS_MAX": "asserted of what the ledger's own records say",
    "node.chain.records.SCAN_MAX": "asserted of our own callers, whose pages are shorter",
    "node.ledger.state._SCAN_WHOLE_MAX": "up to which a scan reads in one step, not in several",
    "node.ledger.state._SCAN_CHUNK_MAX": "in which steps a scan reads; its length is the caller's",
    "node.genesis.model.ENTRIES_MAX": "the document's size ends first",
    "node.proofs.model.HANDOVERS_MAX": "the file's size ends first",
    "node.proofs.sentences._TIME_MS_MAX": "where times stop having a date",
    "node.storage.leveldb.NODE_OPEN_FILES_MAX": "handed to LevelDB, which keeps to it",
    "node.storage.leveldb.PAGE_MAX": "up to which a page is read at once, by a cursor that is kept",
    "node.storage.leveldb.TABLES_MAPPED_MAX": "from how many tables on none is mapped",
    "node.cli.start.DESCRIPTORS_MAX": "asked of the system, which has its own limit",
    "node.ledger.commitment.updating.KEY_HASHES_MAX": "handed to lru_cache, which keeps to it",
    "node.ledger.phrases.vocabulary.RECOGNISED_MAX": "handed to lru_cache, which keeps to it",
    "node.ledger.state._INSERTED_SHARE_MAX": "when keys are inserted, and when sorted",
    "node.signatures.helper.PAUSE_MAX_S": "how seldom a process that ends at once is started again",
    "node.storage.leveldb.OPEN_FILES_MAX": "handed to LevelDB, which keeps to it",
    "node.rpc.methods.BLOCK_IDS_MAX": "one page of a block's own list",
    "node.rpc.ledger.LICENCES_MAX": "one page of a participant's own list",
    "node.rpc.ledger.OFFICES_SHOWN_MAX": "offices, each granted by a joint decision",
    "node.explorer.limits.PROPOSAL_PAST_READ_MAX": "one page of the interface's own list",
    "node.explorer.limits.PARTICIPANT_CALLS_MAX": "how many pages of participants one search reads",
    "node.rpc.health.LAG_MAX": "from when on a node calls itself behind",
    "node.rpc.health.SILENCE_HEARTBEATS_MAX": "from when on a node calls itself stuck",
    "node.network.network._REASON_LENGTH_MAX": _SHOWN,
    "node.network.websocket._CLOSE_MESSAGE_MAX": "what a control frame holds, of our own words",
    "node.network.settings.NetworkSettings.backoff_max_s": _PAUSE,
    "node.replica.obtaining.ROUNDS_MAX": _PAUSE,
    "node.replica.parts.ReplicaLimits.resend_ms_max": _PAUSE,
    "node.config.sections.ReplicaConfig.resend_ms_max": _PAUSE,
    "node.client.finality.PAUSE_MAX_S": _PAUSE,
    "node.client.subscriptions.PAUSE_MAX_S": _PAUSE,
    "node.client.subscriptions.SILENCE_MAX_S": _PAUSE,
    "node.config.sections.NetworkConfig.frames_per_s_max": _RATE,
    "node.config.sections.NetworkConfig.bytes_per_s_max": _RATE,
    "node.config.sections.RpcConfig.calls_per_s_max": _RATE,
    "node.config.sections.RpcConfig.work_ms_per_s_max": _RATE,
    "node.client.bulk.LOOK_UP_MAX": _ASKED,
    "node.client.indexed.PAGE_MAX": _ASKED,
    "node.cli.report.curve._LINES_MAX": _SHOWN,
    "node.cli.report.drawing._PARTED_MAX": _SHOWN,
    "node.cli.report.wall.COLUMNS_MAX": _SHOWN,
    "node.explorer.charts.LABELS_MAX": _SHOWN,
    "node.explorer.limits.TEXTS_SHOWN_MAX": "one page of the interface's own list",
    "node.explorer.limits.CURRENCIES_SHOWN_MAX": _SHOWN,
    "node.explorer.limits.AUCTION_CALLS_MAX": "how many pages of auctions one page asks for",
    "node.index.answers.PAGE_MAX": "asserted of our own callers, whose limits are the interface's",
    "node.index.answers.WORDS_MAX": "of a text that the interface has bounded, the first words",
    "node.index.follower.RETRY_S_MAX": _PAUSE,
    "node.index.follower.TRANSACTIONS_WAITING_MAX": "as BLOCKS_WAITING_MAX, where blocks are large",
    "node.index.postgres.READERS_MAX": "handed to asyncpg, which keeps to it",
    "node.index.postgres.READ_SECONDS_MAX": "handed to asyncpg, which keeps to it",
    "node.index.sqlite.READ_SECONDS_MAX": "how long the database may take for a question",
    "node.index.projection.TEXT_MAX": "how much of what a block holds is kept to be searched",
    "node.index.starts.WALKED_AT_ONCE_MAX": "how much of a list a question walks between two looks",
    "node.index.words.LISTED_MAX": "how much of a word has lists; a longer one is found by that",
    "node.index.words.WORD_MAX": "how much of a word is kept to be searched",
    "node.index.statements.STATEMENTS_MAX": "handed to lru_cache, which keeps to it",
    "node.stream.link.PENDING_BYTES_MAX": "handed to nats-py, which keeps to it",
    "node.stream.publisher.RETRY_S_MAX": _PAUSE,
    "node.client.reading.PAGE_MAX": _ASKED,
    "node.cli.asking.PAGE_MAX": _ASKED,
    "node.cli.asking.CELL_MAX": _SHOWN,
    "node.cli.asking.LINE_MAX": _SHOWN,
    "node.control.place.PATH_BYTES_MAX": "from when on a path is given a shorter name",
    "node.cli.check.SHOWN_MAX": _SHOWN,
    "node.cli.debt.NAMED_MAX": _SHOWN,
    "node.cli.moments._SHOWN_MAX": _SHOWN,
    "node.quotes._SHOWN_MAX": _SHOWN,
    "node.cli.submission.OPEN_FOR_H_MAX": _ASKED,
    "node.ledger.dates.civil._SHOWN_MAX": _SHOWN,
    "node.cli.validator.resume.REASON_MAX": _SHOWN,
    "node.sync.sync.RUN_BYTES_MAX": "after how much committing gives others their turn",
    "node.cli.demo.retail.OPERATIONS_MAX": _ASKED,
    "node.cli.demo.retail.STALL_MAX_S": "from when on the demonstration says that it failed",
    "node.keys.development.NUMBERED_MAX": _OWN,
    "node.provision.ports._ATTEMPTS_MAX": _OWN,
    "node.upkeep.repairing.ASIDE_MAX": "how many names are tried for what is moved aside",
    "node.sync.joining.JoiningLimits.fetches_max": _ASKED,
    "node.testing.cluster.VALIDATORS_MAX": _OWN,
    "node.testing.cluster.OBSERVERS_MAX": _OWN,
    "node.testing.cluster.CALLS_PER_S_MAX": _RATE,
}
