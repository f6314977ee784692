"""What layers are called in pictures and messages."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.reliability.policy import Policy

__all__ = ["label", "layer_names"]


def label(policy: "Policy") -> str:
    """Return a policy's kind, and its name where it has one of its own."""
    if policy.name == policy.kind or policy.name.startswith(f"{policy.kind} "):
        return policy.name
    return f"{policy.kind} {policy.name!r}"


def layer_names(policies: "tuple[Policy, ...]") -> list[str]:
    """Return a name for each layer, all different: a number where labels are the same."""
    labels = [label(policy) for policy in policies]
    names: list[str] = []
    for name in labels:
        number, found = 1, name
        while found in names:
            number, found = number + 1, f"{name} #{number + 1}"
        names.append(found)
    return names
