"""Previews in each mode: what is seen while a turn runs, and what stays."""

import pytest

from preview_help import Stage, tool

READ = "\U0001f4d6 Read"
EXEC = "\U0001f6e0\ufe0f Exec"
THINKING = "\U0001f9e0 Thinking\u2026"


def test_off_shows_nothing(world):
    s = Stage(world, "off")
    s.say(["think"], tool("1", "read"), ["text", "hal"], ["sleep", 1.5],
          ["text", "half"], ["sleep", 0.5], ["final", "half and whole"])
    s.settled("half and whole")
    assert s.ever() == ["half and whole"]


def test_partial_grows_in_one_post(world):
    s = Stage(world, "partial")
    s.say(["text", "one"], ["sleep", 1.5], ["text", "one two"],
          ["sleep", 1.5], ["final", "one two three"])
    first = s.wait_text("one")
    assert s.wait_text("one two")["id"] == first["id"]
    assert s.wait_text("one two three")["id"] == first["id"]
    s.settled("one two three")


def test_partial_thinks_works_and_answers(world):
    s = Stage(world, "partial")
    s.say(["think"], ["sleep", 1.5], tool("1", "read", detail="a file"),
          ["sleep", 1.5], tool("1", "read", "end", ok=False),
          tool("2", "exec", detail="rm -rf /"), tool("3", "message"),
          ["sleep", 1.5], ["text", "so"], ["sleep", 0.2],
          tool("4", "read", detail="late"), ["sleep", 1.5],
          ["final", "so it is"])
    ids = {s.wait_text(t)["id"] for t in (
        "Thinking\u2026", READ + ": a file",
        READ + " \u2013 failed: a file\n" + EXEC, "so", "so it is")}
    assert len(ids) == 1
    s.settled("so it is")
    assert "late" not in str(s.ever()) and "rm -rf" not in str(s.ever())


def test_commands_are_shown_when_asked_for(world):
    s = Stage(world, "partial",
              streaming={"preview": {"commandText": "raw"}})
    s.say(tool("1", "exec", detail="ls -l"), ["sleep", 1], ["final", "done"])
    s.wait_text(EXEC + ": ls -l")
    s.settled("done")


@pytest.mark.parametrize("mode", ["partial", "block"])
def test_no_tool_lines_when_off(world, mode):
    s = Stage(world, mode, streaming={"preview": {"toolProgress": False}})
    s.say(tool("1", "read"), ["sleep", 1.5], ["final", "done"])
    s.settled("done")
    assert s.ever() == ["done"]


def test_block_has_a_post_for_each_stretch(world):
    s = Stage(world, "block")
    s.say(["think"], ["sleep", 0.5], ["text", "First."], ["sleep", 1.5],
          tool("1", "read", detail="x"), tool("2", "exec"), ["sleep", 1.5],
          ["text", "First.\n\nSecond"], ["sleep", 1.5],
          ["final", "First.\n\nSecond and last."])
    think = s.wait_text("Thinking\u2026")
    first = s.wait_text("First.")
    assert think["id"] == first["id"]
    work = s.wait_text(READ + ": x\n" + EXEC)
    second = s.wait_text("Second")
    assert len({first["id"], work["id"], second["id"]}) == 3
    s.settled("First.", "Second and last.")
    assert [p["id"] for p in s.look()] == [first["id"], second["id"]]


def test_block_that_the_answer_does_not_say_is_removed(world):
    s = Stage(world, "block")
    s.say(["text", "Let me look."], ["sleep", 0.5], tool("1", "read"),
          ["sleep", 0.5], ["text", "Found"], ["sleep", 0.5],
          ["final", "Found it."])
    s.wait_text("Let me look.")
    s.settled("Found it.")


def test_block_long_text_is_cut_in_order(world):
    s = Stage(world, "block", textChunkLimit=20)
    s.say(["text", "aaaa bbbb cccc dddd eeee ffff"], ["sleep", 0.5],
          tool("1", "read"), ["sleep", 2],
          ["final", "aaaa bbbb cccc dddd eeee ffff gggg"])
    s.settled("aaaa bbbb cccc dddd", "eeee ffff", "gggg")


def test_progress_shows_work_not_the_answer(world):
    s = Stage(world, "progress", streaming={"progress": {
        "label": "Busy", "toolProgress": True, "maxLines": 2,
        "maxLineChars": 20, "commandText": "raw"}})
    s.say(["text", "secret"], ["think"], tool("1", "read"),
          tool("2", "exec", detail="sleep 1000000000000"), ["sleep", 3],
          ["text", "secret an"], ["final", "secret answer"])
    shown = s.wait(lambda: s.look())[0]
    assert shown["message"].split("\n") == [
        "Busy", READ, EXEC + ": sleep 100\u2026"]
    assert s.wait_text("secret answer")["id"] == shown["id"]
    s.settled("secret answer")
    assert not any("secret" in t and t != "secret answer" for t in s.ever())


def test_progress_without_lines(world):
    s = Stage(world, "progress")
    s.say(tool("1", "exec"), ["sleep", 2.5], ["final", "done"])
    s.wait_text("Working")
    s.settled("done")


def test_quick_progress_shows_nothing_but_a_failure_at_once(world):
    s = Stage(world, "progress", streaming={"progress": {
        "toolProgress": True}})
    s.say(tool("1", "read"), ["sleep", 0.2], ["final", "quick"])
    s.settled("quick")
    assert s.ever() == ["quick"]
    s.say(tool("1", "read"), tool("1", "read", "end", ok=False),
          ["sleep", 1.2], ["final", "broken"])
    s.wait_text("Working\n" + READ + " \u2013 failed", timeout=15)
    s.settled("quick", "broken")


def test_finished_blocks_with_mode_off(world):
    s = Stage(world, "off", streaming={"block": {
        "enabled": True, "coalesce": {"minChars": 5, "idleMs": 200}}})
    s.say(["text", "First block.\n\nSec"], ["sleep", 1.5],
          ["text", "First block.\n\nSecond block.\n\nThi"], ["sleep", 1.5],
          ["final", "First block.\n\nSecond block.\n\nThird block."])
    first = s.wait_text("First block.")
    second = s.wait_text("Second block.")
    s.settled("First block.", "Second block.", "Third block.")
    assert [p["id"] for p in s.look()][:2] == [first["id"], second["id"]]


@pytest.mark.parametrize("mode", ["partial", "block", "progress"])
def test_answer_of_many_posts_replaces_the_preview(world, mode):
    s = Stage(world, mode, textChunkLimit=20)
    s.say(["text", "aaaa"], tool("1", "read"), ["sleep", 2],
          ["text", "aaaa bbbb"], ["final", "aaaa bbbb cccc dddd eeee ffff"])
    s.wait(lambda: s.look())
    if mode == "block":
        s.settled("aaaa", "bbbb cccc dddd eeee", "ffff")
    else:
        s.settled("aaaa bbbb cccc dddd", "eeee ffff")


def test_shorter_answer_is_a_new_post(world):
    s = Stage(world, "partial")
    s.say(["text", "one two three"], ["sleep", 1], ["final", "one two"])
    first = s.wait_text("one two three")
    s.settled("one two")
    assert s.look()[0]["id"] != first["id"]


def test_long_preview_is_cut(world):
    s = Stage(world, "partial", textChunkLimit=16000)
    text = "\U0001f600" * 2100
    s.say(["text", text], ["sleep", 1], ["final", text])
    s.wait_text("\U0001f600" * 1998 + "...")
    s.settled(text)


@pytest.mark.parametrize("mode", ["partial", "block", "progress"])
@pytest.mark.parametrize("answer", [
    "NO_REPLY", "> Reasoning: hm"])
def test_what_is_not_posted(world, mode, answer):
    s = Stage(world, mode)
    steps = [["text", answer[:n]] for n in range(1, len(answer) + 1)]
    s.say(["think"], *steps, ["sleep", 1.8], ["final", answer])
    s.wait(lambda: s.look())
    s.settled(timeout=20)
    assert all("Thinking\u2026" in t or t == "Working" for t in s.ever())


@pytest.mark.parametrize("mode", ["partial", "block", "progress"])
def test_failed_turn_leaves_no_preview(world, mode):
    s = Stage(world, mode)
    s.say(["text", "begun"], tool("1", "read"), ["sleep", 2.5],
          ["fail", "config", False])
    s.wait(lambda: s.look())
    s.settled("I could not answer this: it went wrong.")


@pytest.mark.parametrize("mode", ["partial", "block", "progress"])
def test_turn_that_is_tried_again(world, mode):
    s = Stage(world, mode)
    s.say(["once", world.bot.id, [
        ["text", "wrong way"], tool("1", "read"), ["sleep", 2.5],
        ["fail", "server", True]]],
          ["text", "right"], ["sleep", 2], ["final", "right way"])
    s.wait(lambda: s.look())
    s.settled("right way")


def test_prefix_is_put_once(world):
    s = Stage(world, "partial", responsePrefix="[{identityName}]",
              textChunkLimit=20)
    s.say(["text", "hello"], ["sleep", 1], ["final", "hello you"])
    s.wait_text("[main] hello")
    s.settled("[main] hello you")
    s.say(["final", "[main] already"])
    s.wait_texts("[main] hello you", "[main] already")
    s.say(["final", "aaaa bbbb cccc dddd eeee"])
    s.settled("[main] hello you", "[main] already",
              "[main] aaaa bbbb", "cccc dddd eeee")


def test_tables_are_converted(world):
    s = Stage(world, "partial", markdown={"tables": "bullets"})
    s.say(["final", "| a | b |\n|---|---|\n| 1 | 2 |"])
    s.settled("**1**\n\u2022 b: 2")


def test_chunk_mode_newline(world):
    s = Stage(world, "off", textChunkLimit=20,
              streaming={"chunkMode": "newline"})
    s.say(["final", "one two three\n\nfour five six"])
    s.settled("one two three", "four five six")


def test_preview_is_in_the_thread(world):
    s = Stage(world, "partial", replyToModeByChatType={"direct": "all"})
    root = s.say(["text", "one"], ["sleep", 1], ["final", "one two"])
    assert s.wait_text("one")["root_id"] == root["id"]
    assert s.wait_text("one two")["root_id"] == root["id"]
    s.settled("one two")
