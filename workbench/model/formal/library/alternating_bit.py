"""The alternating bit protocol: one bit is enough to send data over channels that lose and repeat.

The sender puts its bit on each message, and sends it again until the receiver's acknowledgement carries the
same bit; then it flips the bit and takes the next value. Channels keep the order, and lose any message.

Source: K. A. Bartlett, R. A. Scantlebury, P. T. Wilkinson, A note on reliable full-duplex transmission over
half-duplex links, CACM 12 (1969); L. Lamport, Specifying Systems (2002), chapter 14; TLA+ Examples,
MCAlternatingBit.
"""

import workbench.model.formal as wb

__all__ = ["AlternatingBit"]


def AlternatingBit(values: int = 2, messages: int = 2, acks: int = 2) -> type[wb.Model]:
    """Return the protocol for a number of different values, as far as no channel holds more than so many.

    Its invariant: what the sender knows to be received was received (`acknowledged_is_received`).
    """
    data = range(values)
    Message = wb.Record(bit=range(2), value=data)

    class AlternatingBit(wb.Model):
        """Both channels, and what the two ends remember: bits and the value last sent or received."""

        to_receiver = wb.Seq(Message, messages + 1)
        to_sender = wb.Seq(wb.Int(0, 1), acks + 1)
        sender_bit = wb.Int(0, 1)
        acked_bit = wb.Int(0, 1)
        receiver_bit = wb.Int(0, 1)
        sent = wb.Int(0, values - 1)
        received = wb.Int(0, values - 1)

        def init(s):
            for bit in range(2):
                s.sender_bit = s.acked_bit = s.receiver_bit = bit
                for s.sent in data:
                    for s.received in data:
                        yield

        @wb.constraint
        def channels_are_short(s):
            return len(s.to_receiver) <= messages and len(s.to_sender) <= acks

        @wb.action(value=data)
        def send_new(s, value):
            wb.require(s.acked_bit == s.sender_bit)
            s.sent = value
            s.sender_bit = 1 - s.sender_bit
            s.to_receiver.append(Message(bit=s.sender_bit, value=value))

        @wb.action(fair="weak")
        def send_again(s):
            wb.require(s.acked_bit != s.sender_bit)
            s.to_receiver.append(Message(bit=s.sender_bit, value=s.sent))

        @wb.action(fair="strong")
        def receive(s):
            wb.require(len(s.to_receiver) > 0)
            s.receiver_bit = s.to_receiver[0].bit
            s.received = s.to_receiver[0].value
            s.to_receiver.pop(0)

        @wb.action(fair="weak")
        def acknowledge(s):
            s.to_sender.append(s.receiver_bit)

        @wb.action(fair="strong")
        def receive_ack(s):
            wb.require(len(s.to_sender) > 0)
            s.acked_bit = s.to_sender[0]
            s.to_sender.pop(0)

        @wb.action(i=range(messages))
        def lose_message(s, i):
            wb.require(i < len(s.to_receiver))
            s.to_receiver.pop(i)

        @wb.action(i=range(acks))
        def lose_ack(s, i):
            wb.require(i < len(s.to_sender))
            s.to_sender.pop(i)

        @wb.invariant
        def acknowledged_is_received(s):
            return s.acked_bit != s.sender_bit or s.receiver_bit == s.sender_bit

        @wb.predicate
        def waits_for_ack(s):
            return s.sender_bit != s.acked_bit

        @wb.predicate
        def last_value_is_received(s):
            return s.received == s.sent

    return AlternatingBit
