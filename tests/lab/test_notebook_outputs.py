"""From the messages of a kernel to stored outputs."""

from workbench.lab._outputs import Transcript, merge_streams, plain, texts


def message(kind, **content):
    return {"header": {"msg_type": kind}, "content": content}


def stream(name, said):
    return message("stream", name=name, text=said)


def display(said, **more):
    return message("display_data", data={"text/plain": said}, metadata={}, **more)


def transcript(*messages):
    heard = Transcript()
    for each in messages:
        heard.add(each)
    return merge_streams(heard.outputs)


def said(outputs):
    return [output.get("text") or output.data["text/plain"] for output in outputs]


def test_the_order_of_flushes_does_not_change_what_is_stored():
    one = transcript(stream("stdout", "a\n"), stream("stderr", "w\n"), stream("stdout", "b\n"))
    other = transcript(stream("stderr", "w\n"), stream("stdout", "a\nb\n"))
    assert one == other
    assert said(one) == ["a\nb\n", "w\n"]


def test_text_stays_on_its_side_of_a_picture():
    outputs = transcript(stream("stdout", "before"), display("picture"), stream("stdout", "after"))
    assert said(outputs) == ["before", "picture", "after"]


def test_what_a_carriage_return_overwrote_is_gone():
    assert said(transcript(stream("stdout", "1%\r2%"), stream("stdout", "\r3%\nend\r\n"))) == ["3%\nend\r\n"]


def test_cleared_outputs_are_gone_at_once_or_with_the_next():
    assert said(transcript(display("1"), message("clear_output", wait=False), display("2"))) == ["2"]
    assert said(transcript(display("1"), message("clear_output", wait=True))) == ["1"]
    assert said(transcript(display("1"), message("clear_output", wait=True), display("2"), display("3"))) == [
        "2",
        "3",
    ]


def test_an_updated_display_shows_its_last_value():
    first = display("0%", transient={"display_id": "bar"})
    update = message(
        "update_display_data", data={"text/plain": "100%"}, metadata={}, transient={"display_id": "bar"}
    )
    other = message(
        "update_display_data", data={"text/plain": "x"}, metadata={}, transient={"display_id": "gone"}
    )
    assert said(transcript(first, update, other)) == ["100%"]


def test_the_count_is_the_kernels():
    heard = Transcript()
    heard.add(message("execute_input", code="1", execution_count=7))
    heard.add(message("status", execution_state="busy"))
    assert (heard.execution_count, heard.outputs) == (7, [])


def test_colours_are_not_words(nb):
    assert plain("\x1b[31mred\x1b[39m \x1b[38;5;28;01mgreen\x1b[0m") == "red green"
    assert texts(nb.error("E", "why")) == ["why", "E: why"]
