"""Seeds that once found a defect, and what it was. They stay, and run in the slow lane.

A seed means the same run only while the simulator draws in the same order; so each defect also has
a test of its own beside the code that was mended, and stands there under the name given here.

Must never lose an entry.
"""

from typing import Final

ONCE_BAD: Final[dict[int, str]] = {
    0: "a mailbox header that cannot be read ended the server: tests/store/test_mailbox_end.py"
    " test_mail_goes_on_behind_a_header_that_cannot_be_read",
    5: "an unreadable spare segment kept the server from starting, repaired or not:"
    " tests/store/test_repair.py"
    " test_a_spare_segment_that_cannot_be_read_is_named_and_replaced",
    54: "a recall whose answer was lost was given up when the server could not read for a moment:"
    " tests/msgc/test_recalls.py"
    " test_a_server_that_cannot_now_is_asked_again_and_one_that_will_not_is_not",
    78: "who was being deleted counted as connected, but not as an account:"
    " tests/msgd/test_exchange_deletion.py test_an_account_that_is_being_deleted_cannot_log_in_…",
    107: "a look at one window of the outbox was taken for a look at all of it:"
    " tests/msgc/test_link_traffic.py"
    " test_no_more_than_the_window_is_under_way_and_all_arrives_in_order",
    684: "a message id that had rotted into another's was named in a report, and believed:"
    " tests/sim/test_oracle.py test_a_damaged_id_may_be_that_of_another_message",
    711: "a rotten byte in a mailbox header passed for a file of a newer version:"
    " tests/store/test_framing.py test_one_rotten_byte_is_no_newer_version",
    861: "an unreadable accounts log that no MANIFEST names kept the server from starting:"
    " tests/store/test_accounts_log.py test_a_leftover_that_cannot_be_read_is_left_alone",
    905: "the oracle missed what was recalled when the answer had gone with the sender's account:"
    " tests/sim/test_oracle.py"
    " test_what_was_recalled_may_be_told_to_nobody_when_the_sender_goes",
    1174: "a message id that had rotted itself was named in a report, and taken for another's:"
    " tests/sim/test_oracle.py test_a_report_with_a_damaged_id_excuses_those_it_names_besides",
    1586: "a mailbox begun anew without room for its header looked damaged:"
    " tests/store/test_mailbox_end.py"
    " test_a_file_that_begins_anew_does_so_whole_or_not_at_all",
    1596: "of more wishes to recall than are asked at once some were never asked:"
    " tests/msgc/test_recalls.py test_more_than_may_be_asked_at_once_are_all_asked",
    1829: "the oracle took an account that was made anew, unheard, for the one of before:"
    " tests/sim/test_oracle.py test_an_account_may_have_been_made_anew_unheard",
    1914: "messages in doubt were sent again from an account that was made anew unheard, and came"
    " twice: tests/msgc/test_archive.py"
    " test_another_account_of_the_same_name_ends_them_when_nobody_said_created",
    2754: "a repair without MANIFEST took two names of one segment for two:"
    " tests/store/test_repair.py test_a_segment_with_two_names_is_salvaged_once",
    3662: "two names of one file whose header was torn became two live segments:"
    " tests/store/test_journal_replay.py test_two_names_of_one_torn_file_are_no_spares",
    3807: "a later repair gave a lost account's mail to whoever had taken its name since:"
    " tests/store/test_salvage.py"
    " test_a_mailbox_whose_owner_nobody_knows_is_set_aside_and_told",
    5174: "who was leaving when a message to all was sent stood among those who may have it:"
    " tests/msgd/test_exchange_recall.py"
    " test_who_was_leaving_when_it_was_sent_is_not_among_those_who_have_it",
    5414: "a repair did not tell what everyone's file had lost where nothing counted it any more:"
    " tests/store/test_salvage.py"
    " test_what_everyones_file_has_lost_is_told_where_nothing_counts_it",
    6217: "a key that was pressed while the server hung up ended the client:"
    " tests/msgc/test_link.py test_a_key_pressed_while_the_server_hangs_up_does_nothing",
}
