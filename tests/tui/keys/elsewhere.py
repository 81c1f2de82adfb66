"""Keys that other tests press."""

from __future__ import annotations

ELSEWHERE: tuple[tuple[str, str, str], ...] = (
    ("NodeScreen", "enter", "test_node_screen.py::test_the_node_view_follows_the_node_and_not_the_selection"),
    ("NodeScreen", "d", "test_node_screen.py::test_verbs_work_in_the_node_view_too"),
    (
        "NodeScreen",
        "left_square_bracket right_square_bracket",
        "test_node_screen.py::test_longer_charts_are_of_the_history_that_the_node_is_asked_for",
    ),
    ("NodeScreen", "shift+tab tab", "test_node_screen.py::test_tab_goes_from_section_to_section_and_back_to_the_first"),
    ("NodeScreen", "v", "test_node_screen.py::test_v_tells_where_each_figure_is_read_and_again_what_was_there_before"),
    ("NodeScreen", "exclamation_mark", "test_why.py::test_the_key_tells_why_and_is_dim_where_nothing_failed"),
    ("NodeScreen", "ctrl+x", "test_fleet_screen.py::test_keys_that_cannot_work_are_dimmed_until_they_can"),
    ("NodeScreen", "r", "test_fleet_screen.py::test_r_skips_the_wait_of_a_lost_node"),
    ("ChatScreen", "ctrl+e", "test_chat_input.py::test_the_prompt_is_edited_in_the_operators_editor"),
    (
        "ChatScreen",
        "left_square_bracket right_square_bracket",
        "test_chat_columns.py::test_columns_that_have_no_room_are_reached_with_brackets",
    ),
    ("ChatList", "x", "test_chat_dialogs.py::test_a_chat_is_exported_and_the_file_named"),
    ("ChatList", "X", "test_chat_dialogs.py::test_a_chat_is_exported_as_json_with_everything_that_is_known"),
    ("PickModel", "ctrl+f", "test_pick_model_consent.py::test_a_refusal_is_shown_and_enter_does_nothing"),
)
"""The class of a screen, keys, and the test that presses them there."""
