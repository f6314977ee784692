"""The text of a compiled model, run by Python itself: the translation is tested without compiling."""

from workbench.model.formal.compiling.frames import ASSERTION, ERROR, NOT_ENABLED, OK, Program
from workbench.model.formal.compiling.functions import write_function
from workbench.model.formal.compiling.layouts import StateLayout, signed
from workbench.model.formal.compiling.programs import GRAMMAR
from workbench.model.formal.compiling.values import Constant, Number, State
from workbench.model.formal.models import specification

assert GRAMMAR


class Word(int):
    """A signed integer of 64 bits that wraps as the machine's does."""

    def __new__(cls, value):
        return super().__new__(cls, signed(int(value)))


def _wrapping(name):
    def operate(self, other):
        return Word(getattr(int, name)(self, int(other)))

    return operate


for _name in ("add", "sub", "mul", "and", "or", "xor", "lshift", "rshift", "floordiv", "mod"):
    setattr(Word, f"__{_name}__", _wrapping(f"__{_name}__"))
for _name in ("radd", "rsub", "rmul", "rand", "ror", "rxor", "rlshift", "rrshift"):
    setattr(Word, f"__{_name}__", _wrapping(f"__{_name}__"))
Word.__invert__ = lambda self: Word(~int(self))
Word.__neg__ = lambda self: Word(-int(self))

NAMES = {
    "inlined": lambda function: function,
    "ones": lambda word: (int(word) & (1 << 64) - 1).bit_count(),
    "shift_right": lambda word, bits: Word((int(word) & (1 << 64) - 1) >> int(bits)),
}


class Written:
    """A model's actions and properties as functions of packed states."""

    def __init__(self, model):
        self.declared = specification(model)
        self.layout = StateLayout(dict(self.declared.fields))
        program = Program(self.layout, model)
        self.names = {}
        for action in self.declared.actions:
            self.names[action.name] = f"a_{action.name}"
            worths = [_worth(values) for values in action.parameters.values()]
            write_function(program, f"a_{action.name}", action.function, [State("w"), *worths], "w")
        for member in self.declared.members:
            if member.kind != "action":
                states = [State(prefix, fixed=True) for prefix in ("w", "v")]
                count = member.function.__code__.co_argcount
                write_function(program, f"p_{member.name}", member.function, states[:count], None)
        self.text = "\n\n".join(program.functions)
        self.functions = dict(NAMES)
        exec(compile(self.text, "written", "exec"), self.functions)

    def after(self, state, instance):
        """Return the state after an action; None where it is not enabled, "error" or "assertion"."""
        words = [Word(word) for word in self.layout.pack(state)]
        given = [Word(value) for value in instance.arguments.values()]
        status, _, *changed = self.functions[f"a_{instance.action.name}"](*words, *given)
        if status == OK:
            return self.layout.unpack(changed)
        return {NOT_ENABLED: None, ERROR: "error", ASSERTION: "assertion"}[status]

    def holds(self, member, *states):
        """Return whether a property holds; "error" where it cannot be said."""
        words = [Word(word) for state in states for word in self.layout.pack(state)]
        status, value = self.functions[f"p_{member.name}"](*words)
        return bool(value) if status == OK else "error"


def _worth(values):
    if len(values) == 1 or not all(isinstance(value, int) for value in values):
        return Constant(values[0])
    return Number("", min(values), max(values))


