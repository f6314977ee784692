"""Models that are hard to export: odd names, parts within parts, and values whose text differs elsewhere."""

import workbench.model.formal as wb


class OddNames(wb.Model):
    """Fields that are words of C, of TLA+ or of the exports' own, and names that would fall together."""

    long = wb.Int(0, 1)
    MAXQ = wb.Bool()
    linux = wb.Int(0, 3)
    VIEW = wb.Bool()
    WF_one = wb.Bool()
    before0 = wb.Int(0, 2)
    after = wb.Int(0, 2)
    q = wb.Seq(wb.Record(length=wb.Int(0, 1), is_set=bool), 1)
    q_length = wb.Int(0, 1)
    maybe = wb.Maybe(wb.Record(is_set=bool))
    held = wb.Map(1, wb.Record(has=bool))
    rows = wb.Seq(wb.Seq(wb.Int(0, 1), 1), 2)

    def init(s):
        s.before0, s.after = 1, 2

    @wb.action
    def swap(s):
        s.before0, s.after = s.after, s.before0
        s.long = 1 - s.long

    @wb.action(value=range(2))
    def push(s, value):
        wb.require(len(s.q) == 0)
        s.q.append({"length": value, "is_set": bool(s.q_length)})
        s.q_length = 1 - s.q_length

    @wb.action
    def hold(s):
        s.maybe = {"is_set": s.MAXQ}
        s.held[0] = {"has": s.WF_one}

    @wb.action
    def turn(s):
        s.MAXQ, s.WF_one, s.VIEW = not s.MAXQ, s.MAXQ, s.WF_one

    @wb.action(value=range(2))
    def add_row(s, value):
        wb.require(len(s.rows) < 2)
        s.rows.append([value])
        s.linux = s.linux + 1


Message = wb.Record(kind=wb.Enum("ask", "tell"), sender=wb.Int(0, 1))


class OddValues(wb.Model):
    """Sets from comprehensions, records looked for in sequences and arrays, quotients of negative numbers."""

    boxes = wb.Array(2, wb.Int(0, 2))
    different = wb.Int(0, 2)
    is_even = wb.Bool()
    queue = wb.Seq(Message, 2)
    seats = wb.Array(2, Message)
    place = wb.Int(0, 2)
    n = wb.Int(-3, 2)
    quotient = wb.Int(-1, 1)
    rest = wb.Int(0, 2)

    @wb.action(i=range(2), value=range(3))
    def put(s, i, value):
        wb.require(len(s.queue) == 0 and s.n == 0)
        s.boxes[i] = value
        s.different = len({each for each in s.boxes if each != 1})
        s.is_even = {each % 3 for each in s.boxes} == {0, 2}

    @wb.action(kind=("ask", "tell"))
    def send(s, kind):
        wb.require(len(s.queue) < 2 and sum(s.boxes) == 0 and s.n == 0)
        s.queue.append(Message(kind=kind, sender=int(kind == "ask")))

    @wb.action
    def sit(s):
        wb.require(len(s.queue) == 2 and s.place != 0)
        s.seats[1] = s.queue[0]
        s.place = s.seats.index(s.queue[0])

    @wb.action
    def take(s):
        wb.require(Message(kind="tell", sender=0) in s.queue)
        s.place = s.queue.index(Message(kind="tell", sender=0))
        s.queue.remove(Message(kind="tell", sender=0))

    @wb.action
    def count(s):
        s.place = s.queue.count(Message(kind="ask", sender=1))

    @wb.action(by=(-2, 1))
    def move(s, by):
        wb.require(sum(s.boxes) == 0 and len(s.queue) == 0 and -3 <= s.n + by <= 2)
        s.n += by
        s.quotient, s.rest = s.n // 3, s.n % 3


class LargeSet(wb.Model):
    """A set whose bits fill more than SPIN's verifier has room for, unless it is told."""

    held = wb.Set(range(1500))

    @wb.action(k=(0, 1, 700, 1499))
    def add(s, k):
        s.held.add(k)


class Conditional(wb.Model):
    """Conditional expressions and `and`s that change something in one branch only; any state is terminal."""

    queue = wb.Seq(Message, 2)
    numbers = wb.Seq(wb.Int(0, 1), 1)
    found = wb.Set(range(3))
    flag = wb.Bool()
    last = wb.Int(0, 2)

    def swap(s):
        s.flag = not s.flag
        return s.flag

    @wb.action(k=range(2))
    def append(s, k):
        wb.require(s.last != 1)
        s.numbers.append(k) if len(s.numbers) < 1 else None
        s.queue.append(Message(kind="tell", sender=k)) if len(s.queue) < 1 + k else None

    @wb.action
    def take(s):
        wb.require(not s.flag)
        message = s.queue.pop(0) if s.queue else Message(kind="ask", sender=0)
        s.last = message.sender
        s.last = s.numbers.pop() if s.flag or len(s.numbers) == 1 else 2

    @wb.action
    def drop(s):
        if len(s.numbers) > 0 and s.numbers.pop(0) == 1:
            s.last = 0
        if s.last == 0 or s.swap():
            s.found.add(s.last)

    @wb.action
    def keep_small(s):
        s.found = {each for each in s.found if each < 2}
        s.found.add(2) if s.flag else s.found.discard(0)

    @wb.action
    def rest(s):
        pass

    @wb.terminal
    def anywhere(s):
        return True
