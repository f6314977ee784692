"""The text of a compiled model, run by Python itself: the translation is tested without compiling."""

from workbench.model.formal._models import specification
from workbench.model.formal.compiling.frames import ASSERTION, ERROR, NOT_ENABLED, OK, Program
from workbench.model.formal.compiling.functions import write_function
from workbench.model.formal.compiling.layouts import StateLayout, signed
from workbench.model.formal.compiling.programs import GRAMMAR
from workbench.model.formal.compiling.values import Constant, Number, State

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
        for instance in self.declared.instances:
            worths = [Constant(value) for value in instance.arguments.values()]
            name, function = f"a{instance.number}", instance.action.function
            write_function(program, name, function, [State("w"), *worths], "w")
            ranges = instance.action.parameters.values()
            if all(isinstance(value, int) for values in ranges for value in values):
                numbers = [Number("", min(values), max(values)) for values in ranges]
                write_function(program, f"n{instance.number}", function, [State("w"), *numbers], "w")
        for member in self.declared.members:
            if member.kind != "action":
                states = [State(prefix, fixed=True) for prefix in ("w", "v")]
                count = member.function.__code__.co_argcount
                write_function(program, f"p_{member.name}", member.function, states[:count], None)
        self.text = "\n\n".join(program.functions)
        self.functions = dict(NAMES)
        exec(compile(self.text, "written", "exec"), self.functions)

    def after(self, state, instance):
        """Return the state after an action; None where it is not enabled, "error" or "assertion".

        The action is written with its parameters known and, for integers, also as numbers at run time.
        """
        words = [Word(word) for word in self.layout.pack(state)]
        outcome = self.functions[f"a{instance.number}"](*words)
        general = self.functions.get(f"n{instance.number}")
        if general is not None:
            again = general(*words, *(Word(value) for value in instance.arguments.values()))
            assert again[0] == outcome[0]
            assert again == outcome or outcome[0] != OK
        status, _, *changed = outcome
        if status == OK:
            return self.layout.unpack(changed)
        return {NOT_ENABLED: None, ERROR: "error", ASSERTION: "assertion"}[status]

    def holds(self, member, *states):
        """Return whether a property holds; "error" where it cannot be said."""
        words = [Word(word) for state in states for word in self.layout.pack(state)]
        status, value = self.functions[f"p_{member.name}"](*words)
        return bool(value) if status == OK else "error"
